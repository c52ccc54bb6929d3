"""Steps: the nodes of a plan. How a worker takes them is in claims.py."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Float, ForeignKey, Index, Integer, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.errors import NotFound
from services.journal import blobs
from services.journal.plan_shape import Plan, PlanStep
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


class Step(database.Base):
    """One node: what to call, with what, after what; and how it went.

    arguments: as planned, with references. input: as called, references resolved. unmet: dependencies not yet done.
    attempt: the fence, one higher at every claim. failures: attempts that failed or were lost, held against
    max_attempts. effect_key: the idempotency key where it is not run:step (an effect carried over into a fork, or a new
    one after an edit). unsure: an earlier attempt at this effect ended without our knowing how. reused_from: the run
    that this result comes from. control: {when, forEach}, with `items` once it has become so many steps. flow: the free
    key that the plan gave it. flow_keys: the names of its limited keys.
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
    status: Mapped[str] = mapped_column(database.State("step_status", Text))
    required: Mapped[bool] = mapped_column()
    effect: Mapped[str] = mapped_column(Text)
    timeout: Mapped[float] = mapped_column(Float)
    retry: Mapped[dict[str, Any]] = mapped_column(JSONB)
    max_attempts: Mapped[int] = mapped_column(Integer)
    why: Mapped[str | None] = mapped_column(Text)
    control: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
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


def rows_of(plan: Plan, tools: Mapping[str, ListedTool], *, required: bool, attempts: int) -> list[dict[str, Any]]:
    """The steps of a plan as rows for `plans.complete`; dependents and counts of unmet dependencies worked out.

    required, attempts: what holds for a step that does not say.
    """
    dependents: dict[str, list[str]] = {step.id: [] for step in plan.steps}
    for step in plan.steps:
        for before in step.dependencies:
            dependents[before].append(step.id)
    return [
        row_of(step, tools[step.tool], required=required, attempts=attempts)
        | {"position": position, "dependents": dependents[step.id]}
        for position, step in enumerate(plan.steps)
    ]


def row_of(step: PlanStep, tool: ListedTool, *, required: bool, attempts: int) -> dict[str, Any]:
    """One step as a row, without its place in the plan: for `plans.add_steps`, which finds it out."""
    asked = step.retry.model_dump(exclude_none=True) if step.retry else {}
    retry = {"attempts": attempts, **tool.retry, **asked}
    return {
        "id": step.id,
        "tool": step.tool,
        "arguments": step.arguments,
        "depends_on": step.dependencies,
        "dependents": [],
        "required": required if step.required is None else step.required,
        "effect": tool.effect,
        "timeout": step.timeout or tool.timeout,
        "retry": retry,
        "max_attempts": retry["attempts"],
        "why": step.why,
        "flow": step.flow,
        "control": step.control,
    }


def of_run(run_id: UUID) -> list[Step]:
    """All steps of a run, in the plan's order."""
    with database.session() as session:
        found = list(session.scalars(select(Step).where(Step.run_id == run_id).order_by(Step.position)))
        blobs.resolve(session, found, "output", "input")
        return found


def get(run_id: UUID, step_id: str) -> Step:
    """One step. Raises NotFound."""
    for step in of_run(run_id):
        if step.id == step_id:
            return step
    raise NotFound(f"There is no step {step_id[:80]} in run {run_id}.")


def in_doubt(tenant: str, *, limit: int = 200, after: tuple[datetime, UUID, str] | None = None) -> list[Step]:
    """The steps that wait for a person to say whether their effect happened, oldest doubt first.

    after: the (ready_at, run_id, id) of the last one on the page before.
    """
    query = select(Step).where(Step.tenant == tenant, Step.status == StepStatus.IN_DOUBT)
    if after is not None:
        query = query.where(func.row(Step.ready_at, Step.run_id, Step.id) > func.row(*after))
    with database.session() as session:
        found = list(session.scalars(query.order_by(Step.ready_at, Step.run_id, Step.id).limit(limit)))
        blobs.resolve(session, found, "input")
        return found
