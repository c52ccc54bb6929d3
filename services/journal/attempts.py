"""Attempts: one try of a step each, written when it ends and never changed. Late results are kept here too."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Integer, Text, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.journal import blobs


class Attempt(database.Base):
    """How one attempt ended: succeeded, failed, retry, waiting, cancelled; lost, timed_out, broken or handed_back when
    nobody knows; late; abandoned or overridden when a person decided.

    output is kept only where it did not simply become the step's: of a late attempt, and what a person gave.
    """

    __tablename__ = "attempts"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    step_id: Mapped[str] = mapped_column(Text, primary_key=True)
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True)
    outcome: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    worker: Mapped[str | None] = mapped_column(Text)
    output: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def of_step(run_id: UUID, step_id: str) -> list[Attempt]:
    """All ended attempts of one step, in order."""
    return [attempt for attempt in of_run(run_id) if attempt.step_id == step_id]


def of_run(run_id: UUID) -> list[Attempt]:
    """All ended attempts of a run's steps, in order."""
    query = (
        select(Attempt).where(Attempt.run_id == run_id).order_by(Attempt.step_id, Attempt.attempt, Attempt.finished_at)
    )
    with database.session() as session:
        found = list(session.scalars(query))
        blobs.resolve(session, found, "output")
        return found
