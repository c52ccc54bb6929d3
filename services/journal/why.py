"""Why: the one thing that a live run waits on, in one sentence and as a kind. Everything alive has exactly one answer.

What moves by itself is named first (a step at work, then one that is ready), then what needs a person, then timers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import redis
from sqlalchemy import func, select

from services import clock, database, settings
from services.approvals import approvals
from services.approvals.approvals import Approval
from services.flow import keys
from services.journal import event_feed, runs, steps
from services.journal.runs import Run
from services.journal.steps import Step, StepStatus
from services.journal.workers import Worker
from services.tools.catalogue import CataloguedTool

KIND_OF_PHASE = {"plan": "planning", "execute": "execution", "reflect": "reflection", "remember": "reflection"}


class Kind(StrEnum):
    """What sort of thing is waited on; the comment says who or what ends it."""

    ENDED = "ended"  # nothing: the run is over
    PAUSED = "paused"  # a person resumes it
    CANCELLING = "cancelling"  # the steps at work notice it
    PHASE_OWNED = "phase_owned"  # the worker that plans or answers
    PHASE_RETRY = "phase_retry"  # a time
    PHASE_UNOWNED = "phase_unowned"  # a worker takes it, or the sweeper rings again
    NO_WORKER = "no_worker"  # somebody starts a worker of that kind
    LEASE = "lease"  # the worker that runs the step
    LEASE_OF_THE_DEAD = "lease_of_the_dead"  # the sweeper gives the step back
    OVERTIME = "overtime"  # the sweeper fences the attempt off
    READY = "ready"  # a worker takes the step
    TURN = "turn"  # a step of the same flow key ends, or its period moves on
    FLOW_PAUSED = "flow_paused"  # a person resumes the flow key
    MISSING_TOOL = "missing_tool"  # somebody starts a worker that has the tool
    IN_DOUBT = "in_doubt"  # a person says whether the effect happened
    RETRY_BACKOFF = "retry_backoff"  # a time
    TIMER = "timer"  # a time
    APPROVAL = "approval"  # a person decides, or its time runs out
    NOT_JOINED = "not_joined"  # reflection takes the settled run
    STUCK = "stuck"  # nothing known: `perdure doctor`


@dataclass(frozen=True)
class Why:
    """The answer. due_at: when it ends by itself, if it says so; since: how long it has been so."""

    kind: Kind
    sentence: str
    step_id: str | None = None
    worker: str | None = None
    since: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True)
class _View:
    run: Run
    steps: list[Step]
    workers: dict[str, Worker]
    tools: set[str]
    asked: dict[str, Approval]
    now: datetime

    def those(self, status: StepStatus) -> list[Step]:
        return [step for step in self.steps if step.status == status]

    def living(self, kind: str) -> bool:
        oldest = self.now - timedelta(seconds=settings.current().lease_seconds)
        return any(worker.kind == kind and worker.beat_at >= oldest for worker in self.workers.values())

    def ago(self, moment: datetime | None) -> str:
        return f"{max((self.now - moment).total_seconds(), 0):.1f} s ago" if moment else "never"


def explain(tenant: str, run_id: str) -> Why:
    """What this run waits on at this moment. Raises NotFound when this tenant has no such run."""
    run = runs.get(tenant, run_id)
    found = steps.of_run(run.id)
    with database.session() as session:
        view = _View(
            run,
            found,
            {worker.id: worker for worker in session.scalars(select(Worker))},
            set(session.scalars(select(CataloguedTool.name))),
            {asked.step_id: asked for asked, _ in approvals.listed(tenant, run_id=run.id)},
            session.scalar(select(func.clock_timestamp())) or clock.now(),
        )
    looks: list[Callable[[_View], Why | None]] = [
        _run,
        _phase,
        _running,
        _ready,
        _in_doubt,
        _asked,
        _waiting,
        _turn,
        _settled,
    ]
    for look in looks:
        why = look(view)
        if why:
            return why
    return Why(Kind.STUCK, "Nothing owns this run: that must not be. `perdure doctor --fix` looks into it.")


def _run(view: _View) -> Why | None:
    run = view.run
    if run.phase is None:
        return Why(Kind.ENDED, f"The run has ended: {run.status}.", since=run.finished_at)
    working = len(view.those(StepStatus.RUNNING))
    if run.cancel_requested:
        return Why(Kind.CANCELLING, f"It is being cancelled; {working} steps at work have yet to notice.")
    if run.paused_at:
        tail = f" ({working} steps still at work may end)" if working else ""
        return Why(Kind.PAUSED, f"It was paused {view.ago(run.paused_at)}{tail}; resume it.", since=run.paused_at)
    return None


def _phase(view: _View) -> Why | None:
    run = view.run
    if run.phase is None or run.phase == "execute":
        return None
    if run.phase_worker in view.workers:
        sentence = f"Worker {run.phase_worker} is at its {run.phase} phase."
        return Why(Kind.PHASE_OWNED, sentence, worker=run.phase_worker)
    if run.phase_worker:
        sentence = f"Worker {run.phase_worker}, which held its {run.phase} phase, is dead; the sweeper gives it back."
        return Why(Kind.LEASE_OF_THE_DEAD, sentence, worker=run.phase_worker)
    if run.due_at and run.due_at > view.now:
        tries = f"{run.phase_failures} {'time' if run.phase_failures == 1 else 'times'}"
        sentence = f"Its {run.phase} phase failed {tries} and is tried again at {clock.to_wire(run.due_at)}."
        return Why(Kind.PHASE_RETRY, sentence, due_at=run.due_at)
    return _nobody(view, KIND_OF_PHASE[run.phase]) or Why(
        Kind.PHASE_UNOWNED,
        f"Its {run.phase} phase waits for a {KIND_OF_PHASE[run.phase]} worker; rung {view.ago(run.rung_at)}.",
        since=run.rung_at,
    )


def _running(view: _View) -> Why | None:
    running = view.those(StepStatus.RUNNING)
    for step in running:
        if step.worker not in view.workers:
            sentence = f"Worker {step.worker}, which ran step {step.id}, is dead; the sweeper gives the step back."
            return Why(Kind.LEASE_OF_THE_DEAD, sentence, step.id, step.worker, step.started_at)
    if not running:
        return None
    first = min(running, key=lambda step: step.started_at or view.now)
    at = (first.id, first.worker, first.started_at, first.deadline)
    if first.deadline and first.deadline < view.now:
        sentence = f"Step {first.id} ({first.tool}) has outlived its timeout of {first.timeout:g} s"
        cut = "the sweeper cuts it off" if view.living("scheduler") else "no scheduler is alive to cut it off"
        return Why(Kind.OVERTIME, f"{sentence}; {cut}.", *at)
    others = f" (and {len(running) - 1} other steps run)" if len(running) > 1 else ""
    sentence = (
        f"Worker {first.worker} runs step {first.id} ({first.tool}), started {view.ago(first.started_at)}{others}."
    )
    return Why(Kind.LEASE, sentence, *at)


def _ready(view: _View) -> Why | None:
    ready = [step for step in view.those(StepStatus.READY) if not _parked(view, step)]
    if not ready:
        return None
    first = min(ready, key=lambda step: step.ready_at or view.now)
    if first.tool not in view.tools:
        sentence = f"Step {first.id} needs the tool {first.tool!r}, which no worker has; start one that has it."
        return Why(Kind.MISSING_TOOL, sentence, first.id, since=first.ready_at)
    waiting = _messages(first.queue)
    queue = f"; {waiting} messages wait in {first.queue}" if waiting is not None else ""
    sentence = f"Step {first.id} ({first.tool}) is ready and was rung {view.ago(first.rung_at)}{queue}."
    return _nobody(view, "execution", first.id) or Why(Kind.READY, sentence, first.id, since=first.ready_at)


def _parked(view: _View, step: Step) -> bool:
    return bool(step.flow_keys and step.rung_at and step.rung_at > view.now + timedelta(days=1))


def _turn(view: _View) -> Why | None:
    """The parked step that stands first in its line."""
    parked = [step for step in view.those(StepStatus.READY) if _parked(view, step)]
    stand = [(keys.turn_of(view.run.tenant, step.run_id, step.id), step) for step in parked]
    found = [(turn, step) for turn, step in stand if turn]
    if not found:
        return None
    turn, step = min(found, key=lambda each: each[0].before)
    if turn.paused:
        sentence = f"Step {step.id} ({step.tool}) waits at flow key {turn.key}, which is paused; resume it."
        return Why(Kind.FLOW_PAUSED, sentence, step.id, since=turn.since)
    most = f" of {turn.parallelism}" if turn.parallelism else ""
    rate = f", at most {turn.rate} start in {turn.period:g} s" if turn.rate else ""
    sentence = f"waits for its turn at key {turn.key} ({turn.running}{most} running, {turn.before} before it{rate})"
    return _nobody(view, "scheduler", step.id) or Why(
        Kind.TURN, f"Step {step.id} ({step.tool}) {sentence}.", step.id, since=turn.since
    )


def _in_doubt(view: _View) -> Why | None:
    for step in view.those(StepStatus.IN_DOUBT):
        detail = (step.error or {}).get("detail", "")
        sentence = f"Step {step.id} ({step.tool}) is in doubt and waits for a person: {detail}"
        return Why(Kind.IN_DOUBT, sentence, step.id, step.worker, step.ready_at)
    return None


def _asked(view: _View) -> Why | None:
    """What a person is asked, when nothing moves before that is decided."""
    for step in view.those(StepStatus.WAITING):
        asked = view.asked.get(step.id)
        if asked:
            what = "an answer to its question" if asked.kind == "question" else f"an approval of {step.tool}"
            sentence = f"Step {step.id} waits for {what}; decide {asked.id} (`perdure approvals`)."
            return Why(Kind.APPROVAL, sentence, step.id, since=asked.requested_at, due_at=asked.expires_at)
    return None


def _waiting(view: _View) -> Why | None:
    waiting = view.those(StepStatus.WAITING)
    if not waiting:
        return None
    first = min(waiting, key=lambda step: step.due_at or view.now)
    if first.due_at and first.due_at < view.now and not view.living("scheduler"):
        return _nobody(view, "scheduler", first.id)
    due = clock.to_wire(first.due_at)
    if first.error:
        sentence = f"Step {first.id} ({first.tool}) is tried again at {due}, after: {first.error.get('detail')}"
        return Why(Kind.RETRY_BACKOFF, sentence, first.id, due_at=first.due_at)
    return Why(Kind.TIMER, f"Step {first.id} ({first.tool}) sleeps until {due}.", first.id, due_at=first.due_at)


def _settled(view: _View) -> Why | None:
    if view.run.open_steps or any(step.status == StepStatus.PENDING for step in view.steps):
        return None
    sentence = "All steps have ended; it waits for a reflection worker to take it."
    return _nobody(view, "reflection") or Why(Kind.NOT_JOINED, sentence, since=view.run.rung_at)


def _nobody(view: _View, kind: str, step_id: str | None = None) -> Why | None:
    if view.living(kind):
        return None
    what = f"Step {step_id}" if step_id else "It"
    name = "scheduler" if kind == "scheduler" else f"{kind} worker"
    return Why(Kind.NO_WORKER, f"{what} waits for a {name}, and none is alive; start one.", step_id)


def _messages(queue: str) -> int | None:
    """How many messages wait in a queue; None when the broker is not Redis or does not answer."""
    if settings.current().broker != settings.current().redis:
        return None
    try:
        return int(event_feed.client().llen(queue))
    except redis.RedisError:
        return None
