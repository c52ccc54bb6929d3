"""Runs: one request, once. The table, and every function that reads a run or moves it from phase to phase.

A run's `status` is what people see; its `phase` says whose turn it is: plan → execute → reflect → remember → none.
Each phase but `execute` is owned by one worker at a time (`phase_worker`), fenced by `phase_attempt`.
"""

import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Index, Integer, SmallInteger, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.errors import Conflict, NotFound


class RunStatus(StrEnum):
    """queued → planning → executing → reflecting → one of the last three; waiting and paused on the way."""

    QUEUED = "queued"
    PLANNING = "planning"
    EXECUTING = "executing"
    REFLECTING = "reflecting"
    WAITING = "waiting"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED = (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED)


class Run(database.Base):
    """A request and how far it has come. phase_error: why the phase is tried again.

    accounts: the budgets that it draws on. profile: its agent as it was when the run was accepted.
    deadline: when it is cut and answered with what there is. paused_because: what it waits for, where no person paused
        it. waits_for: the run of its conversation that it comes after. steers: what the user added while it ran;
        steers_planned: how many of those the newest plan knows. review: a person is to look at its plan first.
        held_until: it does not begin before.
    rung_at: when its phase was last rung; of an unsettled execution parked() (the year 9000), or chordless().
    """

    __tablename__ = "runs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(database.State("run_status", Text))
    phase: Mapped[str | None] = mapped_column(database.State("run_phase", Text))
    request: Mapped[str | None] = mapped_column(Text)
    user_id: Mapped[str] = mapped_column(Text)
    conversation_id: Mapped[str] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(database.State("run_priority", SmallInteger), server_default=text("3"))
    labels: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    brain: Mapped[str | None] = mapped_column(Text)
    plan_revision: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    last_seq: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    open_steps: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    answer: Mapped[str | None] = mapped_column(Text)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    usage: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    cancel_requested: Mapped[bool] = mapped_column(server_default=text("false"))
    paused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    paused_because: Mapped[str | None] = mapped_column(Text)
    accounts: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    profile: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    deadline: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    waits_for: Mapped[UUID | None] = mapped_column()
    held_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    steers: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    steers_planned: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    review: Mapped[bool] = mapped_column(server_default=text("false"))
    forked_from: Mapped[UUID | None] = mapped_column()
    forked_step: Mapped[str | None] = mapped_column(Text)
    traceparent: Mapped[str | None] = mapped_column(Text)
    phase_worker: Mapped[str | None] = mapped_column(Text)
    phase_attempt: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    phase_failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    phase_error: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    rung_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    rings: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        # GET /api/runs: a tenant's newest first
        Index(None, "tenant", "created_at", "id"),
        # the same of one status
        Index(None, "tenant", "status", "created_at", "id"),
        # retention: the oldest ended ones
        Index("ix_runs_ended", "tenant", "finished_at", postgresql_where=text("phase is null")),
        # a conversation's runs
        Index(None, "tenant", "conversation_id", "created_at"),
        # the sweeper looks only at what is alive
        Index("ix_runs_alive", "phase", "rung_at", postgresql_where=text("phase is not null")),
        # a run's forks
        Index("ix_runs_forked_from", "forked_from", postgresql_where=text("forked_from is not null")),
        # who comes after it
        Index("ix_runs_waits_for", "waits_for", postgresql_where=text("waits_for is not null")),
        # who may begin now
        Index("ix_runs_held", "held_until", postgresql_where=text("held_until is not null and phase is not null")),
        # whose plan waits to be looked at
        Index("ix_runs_review", "tenant", "paused_at", postgresql_where=text("review")),
        # whose time is over
        Index("ix_runs_deadline", "deadline", postgresql_where=text("deadline is not null and phase is not null")),
        # what a dead worker owned
        Index("ix_runs_phase_worker", "phase_worker", postgresql_where=text("phase_worker is not null")),
    )


@dataclass(frozen=True)
class Phase:
    """A claimed phase of a run. `fence` goes with every write; a stale one is refused."""

    run_id: str
    fence: int
    run: dict[str, Any]
    events: list[dict[str, Any]]


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562 §5.7): 48 bits of milliseconds, the rest random, so ids sort by age."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(0x3 << 62) | (2 << 62)
    return UUID(int=value)


def parse_id(text_id: str) -> UUID:
    """The run's id from its text form. Raises NotFound for anything else: an unknown id is a 404, never "pending"."""
    try:
        return UUID(text_id)
    except ValueError as error:
        raise NotFound(f"There is no run {text_id!r}.") from error


@dataclass(frozen=True)
class Accepted:
    """What became of a run that was to be created. events: none where it was there already (idempotency key).

    existing: the run that stands for it already; how: deduplicated or coalesced. others: events of others.

    busy: the run that its conversation was busy with. With on_busy `reject` nothing was created then; steered: what was
    asked went into that run, as events; else the new run waits for it.
    """

    events: list[dict[str, Any]]
    busy: str | None
    steered: bool
    existing: str | None = None
    how: str | None = None
    others: list[dict[str, Any]] = field(default_factory=list)


def create(run: dict[str, Any]) -> list[dict[str, Any]]:
    """As `accept`; returns the events."""
    return accept(run).events


def accept(run: dict[str, Any]) -> Accepted:
    """Write the run, its conversation, the user's message and `run.created` as one commit.

    run: id, tenant, user_id, conversation_id, and optionally request, agent, labels, priority (1 to 5), plan (as
    `plans.complete` takes it), review (hold it), budget, deadline, turns, instructions, on_busy (where another run of
    the conversation may live: reject, steer, or anything else to wait for it), not_before, ttl (seconds), dedup_key,
    dedup_seconds, coalesce {key, mode, seconds, longest, max}, callbacks, idempotency {route, key, body_hash, response}
    With an idempotency key that is taken, nothing is written and the list is empty.
    """
    return accepted(database.call("create_run", database.json(run)))


def accepted(made: dict[str, Any]) -> Accepted:
    """What create_run answers."""
    more = {name: made[name] for name in ("existing", "how", "others") if name in made}
    return Accepted(made["events"], made.get("busy"), made.get("steered", False), **more)


def get(tenant: str, run_id: str) -> Run:
    """The run. Raises NotFound when this tenant has none of that id."""
    with database.session() as session:
        found = session.scalar(select(Run).where(Run.id == parse_id(run_id), Run.tenant == tenant))
    if found is None:
        raise NotFound(f"There is no run {run_id}.")
    return found


def last_seqs(run_ids: list[str]) -> dict[str, int]:
    """The number of the newest event of each of these runs."""
    with database.session() as session:
        query = select(Run.id, Run.last_seq).where(Run.id.in_(map(UUID, run_ids)))
        return {str(run_id): last for run_id, last in session.execute(query)}


def claim_phase(run_id: str, phase: str, worker: str) -> Phase | None:
    """Become the owner of the run's present phase; None when it is another phase's turn or someone owns it already.

    Claiming `reflect` settles an execution whose steps have all ended, so a chord that fires early is harmless.
    """
    claimed = database.insist("claim_phase", run_id, phase, worker, again="claim_phase_again")
    if claimed is None:
        return None
    return Phase(run_id, claimed["phase_attempt"], claimed, claimed.pop("events"))


def append_events(phase: Phase, events: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Record [{name, data}] for the owner of a phase; returns them numbered, or None when fenced off."""
    return database.insist(
        "append_phase_events", phase.run_id, phase.fence, database.json(events), again="append_phase_events_again"
    )


def accept_answer(phase: Phase, outcome: dict[str, Any]) -> dict[str, Any] | None:
    """Store the answer; then the run is either finished or goes on to `remember`.

    outcome: status (succeeded or failed, what the run will end as), answer, error, usage, remember (bool). Returns
    {events, phase}; None when fenced off.
    """
    return database.insist("accept_answer", phase.run_id, phase.fence, database.json(outcome), again="accept_answer")


def finish(phase: Phase, events: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Record these events and end the run as its answer said; returns all events, or None when fenced off."""
    return database.insist("finish_run", phase.run_id, phase.fence, database.json(events), again="finish_run")


def fail_phase(phase: Phase, *, detail: str, retry_in: float | None) -> list[dict[str, Any]] | None:
    """The phase failed. retry_in: seconds until the sweeper rings it again, or None to fail the run with `detail`."""
    return database.insist("fail_phase", phase.run_id, phase.fence, detail, retry_in, again="fail_phase")


def pause_for_budget(run_id: str, because: str) -> list[dict[str, Any]]:
    """Pause the run until a person raises the budget that is used up. Returns the events to publish."""
    return database.insist("pause_for_budget", run_id, because, again="pause_for_budget")


def steer(tenant: str, run_id: str, text: str) -> list[dict[str, Any]]:
    """Add what the user says to a run that lives; it is taken in when its steps have ended. Returns the events.

    Raises NotFound, and Conflict where it can't be taken in any more, or no model makes the run's plans.
    """
    events = database.call("steer_run", get(tenant, run_id).id, text)
    if events is None:
        raise Conflict("This run takes nothing in any more: no model plans it, or it is being answered or has ended.")
    return events


def request_cancel(tenant: str, run_id: str) -> list[dict[str, Any]]:
    """Ask the run to stop: what has not started never will, what runs is told. Returns the events, none if finished.

    Raises NotFound when this tenant has no such run.
    """
    answer = database.call("cancel_run", parse_id(run_id), tenant)
    if answer is None:
        raise NotFound(f"There is no run {run_id}.")
    return answer
