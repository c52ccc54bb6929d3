"""Events: what happened in a run, numbered 1, 2, 3 … without a gap, written with the change that they tell.

The run's row lock orders them: every function that records one updates `runs.last_seq` first.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Integer, Text, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import clock, database
from services.journal import blobs, sequences
from services.journal.event_names import TERMINAL


class Event(database.Base):
    """One event; its name and payload are those of event_names.py. No foreign key: its check would cost every step."""

    __tablename__ = "events"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    step_id: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)


PAGE = 500


def after(run_id: UUID, seq: int, *, limit: int = PAGE) -> list[dict[str, Any]]:
    """The run's events that follow `seq`, in order, in their wire shape; at most `limit`. The last one is sealed."""
    found = _read(run_id, seq, limit)
    if found and is_terminal(found[-1]):
        found[-1] = sequences.sealed(found[-1], _before(run_id, found[-1]["seq"]))
    return found


def _before(run_id: UUID, last: int) -> Iterator[dict[str, Any]]:
    seq = 0
    while seq < last - 1:
        page = _read(run_id, seq, min(PAGE, last - 1 - seq))
        if not page:
            return
        yield from page
        seq = page[-1]["seq"]


def _read(run_id: UUID, seq: int, limit: int) -> list[dict[str, Any]]:
    query = select(Event).where(Event.run_id == run_id, Event.seq > seq).order_by(Event.seq).limit(limit)
    with database.session() as session:
        found = list(session.scalars(query))
        blobs.resolve_events(session, found)
        return [_to_wire(event) for event in found]


def is_terminal(event: dict[str, Any]) -> bool:
    """Whether this is the last event that its run will ever have."""
    return event["name"] in TERMINAL


def _to_wire(event: Event) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "name": event.name,
        "workflowId": str(event.run_id),
        "stepId": event.step_id,
        "at": clock.to_wire(event.at),
        "data": event.data,
    }
