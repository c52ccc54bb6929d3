"""An agent: instructions, a model, the tools allowed, a budget and a memory scope under one name.

A run that names an agent gets its profile as it is at that moment; later changes are for later runs. A name that is no
agent is only a label, which flow keys and policies may still go by.
"""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ARRAY, DateTime, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.errors import NotFound

MemoryScope = Literal["user", "none"]


class Agent(database.Base):
    """tools: patterns like `fetch_*`, None for all. budget: {limits, onExceed}, or None. memory: what it recalls and
    keeps: what its user's runs do (user), or nothing (none)."""

    __tablename__ = "agents"

    tenant: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    description: Mapped[str | None] = mapped_column(Text)
    instructions: Mapped[str | None] = mapped_column(Text)
    model: Mapped[str | None] = mapped_column(Text)
    tools: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    budget: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    memory: Mapped[str] = mapped_column(Text, server_default=text("'user'"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def put(tenant: str, name: str, profile: dict[str, Any]) -> Agent:
    """Make the agent, or replace it. profile: description, instructions, model, tools, budget, memory."""
    statement = insert(Agent).values(tenant=tenant, name=name, **profile)
    changed = statement.on_conflict_do_update(
        index_elements=["tenant", "name"], set_={**profile, "updated_at": func.now()}
    )
    with database.session() as session:
        session.execute(changed)
    return get(tenant, name)


def get(tenant: str, name: str) -> Agent:
    """The agent of that name. Raises NotFound."""
    with database.session() as session:
        found = session.get(Agent, (tenant, name))
    if found is None:
        raise NotFound(f"There is no agent {name[:80]!r}.")
    return found


def listed(tenant: str) -> list[Agent]:
    """The tenant's agents by name."""
    with database.session() as session:
        return list(session.scalars(select(Agent).where(Agent.tenant == tenant).order_by(Agent.name)))


def remove(tenant: str, name: str) -> None:
    """Drop the agent; runs that have begun go on as it was. Raises NotFound."""
    with database.session() as session:
        found = session.get(Agent, (tenant, name))
        if found is None:
            raise NotFound(f"There is no agent {name[:80]!r}.")
        session.delete(found)
