"""Blobs: big outputs and inputs of steps, stored once by hash. Rows and events carry references; readers resolve them.

The SQL functions store (`kept` in functions/1_blobs.sql); whoever reads steps, attempts or events gets whole values.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Integer, Text, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from services import database

MARK = "$blob"


class Blob(database.Base):
    """One big JSON value of a tenant. used_at: when a run last came to refer to it."""

    __tablename__ = "blobs"

    tenant: Mapped[str] = mapped_column(Text, primary_key=True)
    hash: Mapped[str] = mapped_column(Text, primary_key=True)
    bytes: Mapped[int] = mapped_column(Integer)
    content: Mapped[Any] = mapped_column(JSONB)
    used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())


class BlobUse(database.Base):
    """A run refers to a blob."""

    __tablename__ = "blob_uses"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)

    # is a blob still referred to
    __table_args__ = (Index(None, "tenant", "hash"),)


def is_reference(value: Any) -> bool:
    """Whether this value of a row stands for a blob."""
    return isinstance(value, dict) and MARK in value


def resolve(session: Session, rows: Iterable[Any], *fields: str) -> None:
    """Put the whole value in the place of each reference in these fields of the rows, which are of one tenant.

    The rows are detached from the session first, so that nothing writes the whole value back.
    """
    found = [(row, field) for row in rows for field in fields if is_reference(getattr(row, field))]
    for row, _ in found:
        if row in session:
            session.expunge(row)
    contents = _contents(session, [(row.tenant, getattr(row, field)[MARK]) for row, field in found])
    for row, field in found:
        setattr(row, field, contents.get((row.tenant, getattr(row, field)[MARK])))


def resolve_events(session: Session, rows: Iterable[Any]) -> None:
    """The same for the output in the payload of events."""
    found = [row for row in rows if is_reference(row.data.get("output"))]
    for row in found:
        session.expunge(row)
    contents = _contents(session, [(row.tenant, row.data["output"][MARK]) for row in found])
    for row in found:
        row.data = {**row.data, "output": contents.get((row.tenant, row.data["output"][MARK]))}


def _contents(session: Session, wanted: list[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    if not wanted:
        return {}
    hashes = {each[1] for each in wanted}
    tenants = {each[0] for each in wanted}
    query = select(Blob.tenant, Blob.hash, Blob.content).where(Blob.tenant.in_(tenants), Blob.hash.in_(hashes))
    return {(tenant, name): content for tenant, name, content in session.execute(query)}
