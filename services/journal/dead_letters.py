"""Dead letters: the steps and phases that were given up, and why. Written in the commit of the final failure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, Select, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.errors import Conflict, NotFound

REASONS = ("attempts_exhausted", "failed", "poison", "timed_out", "phase_failed")


class DeadLetter(database.Base):
    """One given up step (step_id, tool) or phase.

    reason: attempts_exhausted, failed (for good, by its own word), poison (its workers kept dying), timed_out,
    phase_failed. resolution: what a person did about it (resumed, restarted, forked, discarded, or a step's retry,
    rerun, skip, override); successor: the run that goes on in its place.
    """

    __tablename__ = "dead_letters"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    tenant: Mapped[str] = mapped_column(Text)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    step_id: Mapped[str | None] = mapped_column(Text)
    phase: Mapped[str | None] = mapped_column(Text)
    tool: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    labels: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    resolved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    resolution: Mapped[str | None] = mapped_column(Text)
    successor: Mapped[UUID | None] = mapped_column()

    __table_args__ = (
        # a tenant's letters, newest first; those that nobody has taken care of
        Index(None, "tenant", "at", "id"),
        Index("ix_dead_letters_open", "tenant", "at", "id", postgresql_where=text("resolved_at is null")),
        # the letters of a run
        Index(None, "run_id"),
    )


@dataclass(frozen=True)
class Filter:
    """Which letters are meant; None means any. labels: all of these must be on the run. since ≤ at < until.

    resolved: False for those that nobody has taken care of.
    """

    reason: str | None = None
    tool: str | None = None
    run_id: UUID | None = None
    labels: dict[str, str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    resolved: bool | None = False


def listed(tenant: str, wanted: Filter, *, limit: int, before: tuple[datetime, UUID] | None = None) -> list[DeadLetter]:
    """A tenant's letters that fit, newest first; `before` is the (at, id) of the last one on the previous page."""
    query = _fitting(select(DeadLetter), tenant, wanted).order_by(DeadLetter.at.desc(), DeadLetter.id.desc())
    if before:
        query = query.where(func.row(DeadLetter.at, DeadLetter.id) < func.row(*before))
    with database.session() as session:
        return list(session.scalars(query.limit(limit)))


def count(tenant: str, wanted: Filter) -> int:
    """How many of a tenant's letters fit."""
    with database.session() as session:
        return session.scalar(_fitting(select(func.count()).select_from(DeadLetter), tenant, wanted)) or 0


def get(tenant: str, letter_id: str) -> DeadLetter:
    """The letter. Raises NotFound when this tenant has none of that id."""
    try:
        query = select(DeadLetter).where(DeadLetter.id == UUID(letter_id), DeadLetter.tenant == tenant)
    except ValueError as error:
        raise NotFound(f"There is no dead letter {letter_id!r}.") from error
    with database.session() as session:
        found = session.scalar(query)
    if found is None:
        raise NotFound(f"There is no dead letter {letter_id}.")
    return found


def discard(tenant: str, letter_id: str) -> None:
    """Mark the letter as taken care of; the run stays as it is. Raises NotFound, or Conflict when it already was."""
    letter = get(tenant, letter_id)
    if not database.call("discard_letter", letter.id, tenant):
        raise Conflict(f"This dead letter was resolved before ({letter.resolution or 'just now'}).")


def _fitting(query: Select[Any], tenant: str, wanted: Filter) -> Select[Any]:
    query = query.where(DeadLetter.tenant == tenant)
    for column, value in (
        (DeadLetter.reason, wanted.reason),
        (DeadLetter.tool, wanted.tool),
        (DeadLetter.run_id, wanted.run_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.labels:
        query = query.where(DeadLetter.labels.contains(wanted.labels))
    if wanted.since:
        query = query.where(DeadLetter.at >= wanted.since)
    if wanted.until:
        query = query.where(DeadLetter.at < wanted.until)
    if wanted.resolved is not None:
        query = query.where(
            DeadLetter.resolved_at.is_not(None) if wanted.resolved else DeadLetter.resolved_at.is_(None)
        )
    return query
