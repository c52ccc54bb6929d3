"""URL groups: a name for several URLs. A message to a group becomes one message to each, with its own attempts."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Text, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.errors import NotFound


class UrlGroup(database.Base):
    """endpoints: [{url, headers, secret}]; headers and secret come before those of the message."""

    __tablename__ = "url_groups"

    tenant: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    endpoints: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def put(tenant: str, name: str, endpoints: list[dict[str, Any]]) -> UrlGroup:
    """Make a group, or give it other endpoints; messages that are under way stay as they are."""
    statement = insert(UrlGroup).values(tenant=tenant, name=name, endpoints=endpoints)
    with database.session() as session:
        session.execute(
            statement.on_conflict_do_update(index_elements=["tenant", "name"], set_={"endpoints": endpoints})
        )
    return get(tenant, name)


def get(tenant: str, name: str) -> UrlGroup:
    """The group of that name. Raises NotFound."""
    with database.session() as session:
        found = session.get(UrlGroup, (tenant, name))
    if found is None:
        raise NotFound(f"There is no URL group {name[:80]!r}; PUT /api/url-groups/{name[:80]} makes it.")
    return found


def listed(tenant: str) -> list[UrlGroup]:
    """The tenant's groups by name."""
    with database.session() as session:
        return list(session.scalars(select(UrlGroup).where(UrlGroup.tenant == tenant).order_by(UrlGroup.name)))


def remove(tenant: str, name: str) -> None:
    """Forget a group. Raises NotFound."""
    found = get(tenant, name)
    with database.session() as session:
        session.delete(session.merge(found))
