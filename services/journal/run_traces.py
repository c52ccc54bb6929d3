"""What tracing needs to know of a run: its caller's span, and when it and its steps began and ended."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from services import database
from services.errors import NotFound
from services.journal.runs import Run
from services.journal.steps import Step


@dataclass(frozen=True)
class Timeline:
    """An ended run. steps: how many of them have begun, between first_step and last_step."""

    id: str
    tenant: str
    status: str
    agent: str | None
    conversation_id: str
    traceparent: str | None
    created_at: datetime
    finished_at: datetime
    steps: int
    first_step: datetime | None
    last_step: datetime | None


def traceparent(run_id: str) -> str | None:
    """The caller's span, as W3C Trace Context writes it."""
    with database.session() as session:
        return session.scalar(select(Run.traceparent).where(Run.id == UUID(run_id)))


def timeline(run_id: str) -> Timeline:
    """When what happened. Raises NotFound."""
    begun = select(func.count(), func.min(Step.started_at), func.max(Step.finished_at))
    with database.session() as session:
        run = session.get(Run, UUID(run_id))
        if run is None or run.finished_at is None:
            raise NotFound(f"There is no ended run {run_id}.")
        steps, first, last = session.execute(begun.where(Step.run_id == run.id, Step.started_at.is_not(None))).one()
    return Timeline(
        run_id,
        run.tenant,
        run.status,
        run.agent,
        run.conversation_id,
        run.traceparent,
        run.created_at,
        run.finished_at,
        steps,
        first,
        last,
    )
