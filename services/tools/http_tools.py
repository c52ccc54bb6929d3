"""HTTP tools: an app's own endpoints that steps may call, registered with a schema, a URL and a secret to sign with."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, DateTime, Float, Text, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.errors import NotFound


class HttpTool(database.Base):
    """An endpoint that takes POST. tenant: whose secret `secret` is (a name in the vault). headers may hold handles.

    untrusted: whether its replies are content from outside. callback_seconds: how long to wait for the result of work
    that it accepted with 202.
    """

    __tablename__ = "http_tools"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    schema: Mapped[dict[str, Any]] = mapped_column(JSONB)
    url: Mapped[str] = mapped_column(Text)
    secret: Mapped[str | None] = mapped_column(Text)
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    effect: Mapped[str] = mapped_column(Text)
    permission: Mapped[str] = mapped_column(Text)
    untrusted: Mapped[bool] = mapped_column()
    timeout: Mapped[float] = mapped_column(Float)
    callback_seconds: Mapped[float] = mapped_column(Float)
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text))
    examples: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def put(name: str, tenant: str, fields: Mapping[str, Any]) -> None:
    """Register an endpoint as the tool of this name, or change it; workers have it within seconds."""
    values = {"tenant": tenant, **fields}
    statement = insert(HttpTool).values(name=name, **values)
    with database.session() as session:
        session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def listed() -> list[HttpTool]:
    """All registered endpoints by name."""
    with database.session() as session:
        return list(session.scalars(select(HttpTool).order_by(HttpTool.name)))


def remove(name: str) -> None:
    """Forget an endpoint. Raises NotFound."""
    with database.session() as session:
        gone = session.execute(delete(HttpTool).where(HttpTool.name == name).returning(HttpTool.name)).scalar()
    if gone is None:
        raise NotFound(f"There is no HTTP tool {name}.")
