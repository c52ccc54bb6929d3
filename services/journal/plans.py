"""Plans: numbered revisions of how a run goes about its request, taken as a whole or while they are being written."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Integer, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.journal.runs import Phase


class AcceptedPlan(database.Base):
    """A plan as it was accepted. `source`: caller, model or offline. tools: the version of each that it calls."""

    __tablename__ = "plans"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    prompt_version: Mapped[str | None] = mapped_column(Text)
    usage: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    tools: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def newest(run_id: UUID) -> AcceptedPlan | None:
    """The newest revision of a run's plan, or None before planning has ended."""
    query = select(AcceptedPlan).where(AcceptedPlan.run_id == run_id).order_by(AcceptedPlan.revision.desc()).limit(1)
    with database.session() as session:
        return session.scalar(query)


@dataclass(frozen=True)
class Taken:
    """events: to publish. ready: steps to ring. phase: whose turn it is; None while the plan is being written."""

    events: list[dict[str, Any]]
    ready: list[str]
    phase: str | None = None


def add_steps(phase: Phase, rows: list[dict[str, Any]]) -> Taken | None:
    """Take more steps of a plan that is being written, as `steps.row_of` makes them; None when fenced off."""
    taken = database.insist("add_steps", phase.run_id, phase.fence, database.json(rows), again="add_steps")
    return Taken(**taken) if taken else None


def revise(phase: Phase, events: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Record these events and hand a reflected run back to planning; returns them numbered, or None when fenced off."""
    return database.insist("revise_run", phase.run_id, phase.fence, database.json(events), again="revise_run")


def complete(phase: Phase, plan: dict[str, Any]) -> Taken | None:
    """Write the plan, or what `add_steps` has not taken of it, and hand the run on; None when fenced off.

    It is execution's turn then, or with no open step reflection's. plan: brain, source, note, usage, prompt_version,
    steps (rows; as `steps.rows_of` makes them when none has been taken).
    """
    taken = database.insist(
        "complete_plan", phase.run_id, phase.fence, database.json(plan), again="complete_plan_again"
    )
    return Taken(**taken) if taken else None
