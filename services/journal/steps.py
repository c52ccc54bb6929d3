"""Steps: the nodes of a plan. The table, and how a step is claimed, finished, put to sleep and given back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, Float, ForeignKey, Index, Integer, Text, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.journal import blobs
from services.journal.plan_shape import Plan, PlanStep
from services.tools import contract
from services.tools.catalogue import ListedTool


class StepStatus(StrEnum):
    """pending → ready → running → one of the last five; waiting on a timer in between; in_doubt needs a person."""

    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    IN_DOUBT = "in_doubt"


Outcome = Literal["succeeded", "failed", "retry", "waiting", "cancelled"]
LossReason = Literal["timed_out", "broken"]


class Step(database.Base):
    """One node: what to call, with what, after what; and how it went.

    arguments: as planned, with references. input: as called, references resolved. unmet: dependencies not yet done.
    attempt: the fence, one higher at every claim. failures: attempts that failed or were lost, held against
    max_attempts. effect_key: the idempotency key where it is not run:step (an effect carried over into a fork, or a new
    one after an edit). unsure: an earlier attempt at this effect ended without our knowing how. reused_from: the run
    that this result comes from. flow: the free key that the plan gave it. flow_keys: the names of its limited keys.
    """

    __tablename__ = "steps"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer)
    plan_revision: Mapped[int] = mapped_column(Integer)
    tool: Mapped[str] = mapped_column(Text)
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB)
    input: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    depends_on: Mapped[list[str]] = mapped_column(ARRAY(Text))
    dependents: Mapped[list[str]] = mapped_column(ARRAY(Text))
    unmet: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(Text)
    required: Mapped[bool] = mapped_column()
    effect: Mapped[str] = mapped_column(Text)
    timeout: Mapped[float] = mapped_column(Float)
    retry: Mapped[dict[str, Any]] = mapped_column(JSONB)
    max_attempts: Mapped[int] = mapped_column(Integer)
    why: Mapped[str | None] = mapped_column(Text)
    flow: Mapped[str | None] = mapped_column(Text)
    flow_keys: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    queue: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    waited: Mapped[bool] = mapped_column(server_default=text("false"))
    effect_key: Mapped[str | None] = mapped_column(Text)
    unsure: Mapped[bool] = mapped_column(server_default=text("false"))
    reused_from: Mapped[UUID | None] = mapped_column()
    worker: Mapped[str | None] = mapped_column(Text)
    output: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    ready_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    rung_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    rings: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    deadline: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint(f"status in ({', '.join(repr(status.value) for status in StepStatus)})", name="status"),
        # the sweeper: ready steps that nobody took
        Index("ix_steps_ready", "rung_at", postgresql_where=text("status = 'ready'")),
        # the sweeper: timers and retries that are due
        Index("ix_steps_due", "due_at", postgresql_where=text("status = 'waiting'")),
        # what waits for a person
        Index("ix_steps_in_doubt", "tenant", "ready_at", postgresql_where=text("status = 'in_doubt'")),
        # what a worker holds, and what outlived its timeout
        Index("ix_steps_running", "worker", "deadline", postgresql_where=text("status = 'running'")),
        # what runs at a flow key
        Index("ix_steps_flow", "run_id", postgresql_where=text("status = 'running' and flow_keys <> '{}'")),
    )


@dataclass(frozen=True)
class Claim:
    """A step that this worker may run, with all it needs for it. `fence` goes with the result.

    outputs: step id → output of each dependency. run: tenant, user_id, conversation_id. effect_key: the name of this
    effect, the same on every attempt. unsure: an earlier attempt at it ended without our knowing how. flow_keys: the
    limited keys at which it holds a slot.
    """

    run_id: str
    step_id: str
    fence: int
    tool: str
    arguments: dict[str, Any]
    timeout: float
    retry: dict[str, Any]
    failures: int
    max_attempts: int
    waited: bool
    effect_key: str
    unsure: bool
    flow_keys: list[str]
    outputs: dict[str, Any]
    run: dict[str, Any]


class ReadyStep(NamedTuple):
    """A step that waits for a worker."""

    id: str
    tool: str


@dataclass(frozen=True)
class Finished:
    """What finishing a step led to.

    fenced: the result came too late and was only kept for the record. next: a step that this worker now owns. ready:
    other steps that this made ready. settled: no step of the run is left open. events: to publish.
    """

    fenced: bool
    next: Claim | None
    ready: list[ReadyStep]
    settled: bool
    events: list[dict[str, Any]]


def rows_of(plan: Plan, tools: dict[str, ListedTool], *, required: bool, attempts: int) -> list[dict[str, Any]]:
    """The steps of a plan as rows for `runs.accept_plan`; dependents and counts of unmet dependencies worked out.

    required, attempts: what holds for a step that does not say.
    """
    dependents: dict[str, list[str]] = {step.id: [] for step in plan.steps}
    for step in plan.steps:
        for before in step.dependencies:
            dependents[before].append(step.id)
    return [
        _row(position, step, tools[step.tool], dependents[step.id], required=required, attempts=attempts)
        for position, step in enumerate(plan.steps)
    ]


def _row(
    position: int, step: PlanStep, tool: ListedTool, dependents: list[str], *, required: bool, attempts: int
) -> dict[str, Any]:
    asked = step.retry.model_dump(exclude_none=True) if step.retry else {}
    retry = {"attempts": attempts, **tool.retry, **asked}
    return {
        "id": step.id,
        "position": position,
        "tool": step.tool,
        "arguments": step.arguments,
        "depends_on": step.dependencies,
        "dependents": dependents,
        "required": required if step.required is None else step.required,
        "effect": contract.effect_of(tool.effect, tool.effects, step.arguments),
        "timeout": step.timeout or tool.timeout,
        "retry": retry,
        "max_attempts": retry["attempts"],
        "why": step.why,
        "flow": step.flow,
    }


def of_run(run_id: UUID) -> list[Step]:
    """All steps of a run, in the plan's order."""
    with database.session() as session:
        found = list(session.scalars(select(Step).where(Step.run_id == run_id).order_by(Step.position)))
        blobs.resolve(session, found, "output", "input")
        return found


def claim(run_id: str, step_id: str, worker: str) -> tuple[Claim, list[dict[str, Any]]] | None:
    """Become the owner of a ready step; returns it with the events to publish, or None when it is not there to take."""
    claimed = database.insist("claim_step", run_id, step_id, worker, again="claim_step_again")
    return (_claim(claimed), claimed["events"]) if claimed else None


def begin(run_id: str, worker: str) -> tuple[Claim | None, list[ReadyStep], list[dict[str, Any]]] | None:
    """Begin the execution of a planned run: the first ready step as this worker's, the other ready steps, the events.

    No claim when flow keys limit all that is ready. None for a doubled message.
    """
    begun = database.insist("begin_execution", run_id, worker, again="begin_execution_again")
    if begun is None:
        return None
    claim = _claim(begun) if "id" in begun else None
    return claim, [ReadyStep(*step) for step in begun["ready"]], begun["events"]


def finish(  # noqa: PLR0913 (an attempt's end has this many sides)
    claim: Claim,
    outcome: Outcome,
    *,
    worker: str,
    input: dict[str, Any] | None = None,
    output: Any = None,
    error: dict[str, Any] | None = None,
    delay: float | None = None,
    go_on: bool = True,
    held: list[str] | None = None,
    asks: dict[str, Any] | None = None,
) -> Finished:
    """Record how an attempt ended, in one commit with all that follows from it.

    delay: seconds until a retry or a wait is due. asks: of a person, by a waiting step. go_on: claim one of the steps
    that this made ready for this worker, or else one of the ready steps `held` by it.
    """
    given = None if input is None else database.json(input)
    mine, then = (claim.run_id, claim.step_id, claim.fence, worker), (delay, go_on, held or [])
    if asks is not None:
        found = database.insist("ask_person", *mine, given, *then, database.json(asks), again="ask_person_again")
    else:
        result = None if outcome != "succeeded" else database.json(output)
        why = None if error is None else database.json(error)
        found = database.insist("finish_step", *mine, outcome, given, result, why, *then, again="finish_step_again")
    return Finished(
        fenced=found["fenced"],
        next=_claim(found["next"]) if found.get("next") else None,
        ready=[ReadyStep(*step) for step in found.get("ready") or ()],
        settled=found.get("settled", False),
        events=found.get("events") or [],
    )


def lose(claim: Claim, reason: LossReason, detail: str, *, input: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Say that nobody knows how this attempt ended: the step runs again, or waits for a person, as its effect says.

    Returns the events to publish; none when the attempt was fenced off.
    """
    given = None if input is None else database.json(input)
    return database.insist(
        "lose_step", claim.run_id, claim.step_id, claim.fence, reason, detail, given, again="lose_step"
    )


def in_doubt(tenant: str, *, limit: int = 200) -> list[Step]:
    """The steps that wait for a person to say whether their effect happened, oldest doubt first."""
    query = select(Step).where(Step.tenant == tenant, Step.status == StepStatus.IN_DOUBT)
    with database.session() as session:
        found = list(session.scalars(query.order_by(Step.ready_at).limit(limit)))
        blobs.resolve(session, found, "input")
        return found


def report_progress(claim: Claim, text: str) -> list[dict[str, Any]]:
    """Record `step.progress` for a running attempt; returns the event, or nothing when fenced off."""
    return database.call("report_step_progress", claim.run_id, claim.step_id, claim.fence, text)


def _claim(row: dict[str, Any]) -> Claim:
    return Claim(
        run_id=row["run"]["id"],
        step_id=row["id"],
        fence=row["attempt"],
        tool=row["tool"],
        arguments=row["arguments"],
        timeout=row["timeout"],
        retry=row["retry"],
        failures=row["failures"],
        max_attempts=row["max_attempts"],
        waited=row["waited"],
        effect_key=row["effect_key"] or f"{row['run']['id']}:{row['id']}",
        unsure=row["unsure"],
        flow_keys=row["flow_keys"],
        outputs=row["outputs"] or {},
        run=row["run"],
    )
