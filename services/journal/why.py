"""Why: the one thing that a live run waits on, in one sentence and as a kind. Everything alive has exactly one answer.

What moves by itself is named first (a step at work, then one that is ready), then what needs a person, then timers.
docs/stalls.md lists the kinds with what the doctor says and does about each.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services import clock
from services.errors import Unavailable
from services.flow import keys
from services.journal import reviews, runs, surroundings
from services.journal.steps import Step, StepStatus
from services.journal.surroundings import View

DEAF_SECONDS = 6.0  # a worker with room that begins nothing for so long, while messages wait, does not listen
KIND_OF_PHASE = {"plan": "planning", "execute": "execution", "reflect": "reflection", "remember": "reflection"}


class Kind(StrEnum):
    """What sort of thing is waited on; the comment says who or what ends it."""

    ENDED = "ended"  # nothing: the run is over
    PAUSED = "paused"  # a person resumes it
    REVIEW = "review"  # a person looks at its plan and lets it go
    CANCELLING = "cancelling"  # the steps at work notice it
    PHASE_OWNED = "phase_owned"  # the worker that plans or answers
    PHASE_RETRY = "phase_retry"  # a time
    MODEL_AWAY = "model_away"  # the model answers its worker again
    PHASE_UNOWNED = "phase_unowned"  # a worker takes it, or the sweeper rings again
    NO_WORKER = "no_worker"  # somebody starts a worker of that kind
    NOT_CONSUMING = "not_consuming"  # somebody restarts the worker, or the doctor has it listen again
    BUSY = "busy"  # a slot gets free, or somebody starts another worker
    BROKER_AWAY = "broker_away"  # the broker answers again
    POSTGRES = "postgres"  # Postgres answers, or takes writes again
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
    MESSAGE = "message"  # the receiver of what the step sent takes it, or it is given up
    CHILDREN = "children"  # the runs that it has delegated to end
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


def explain(tenant: str, run_id: str) -> Why:
    """What this run waits on at this moment. Raises NotFound when this tenant has no such run."""
    try:
        view = surroundings.look(runs.get(tenant, run_id))
        for look in (_run, _phase, _running, _ready, _in_doubt, _asked, _delegated, _waiting, _turn, _settled):
            if why := look(view):
                return why
    except Unavailable as error:
        return Why(Kind.POSTGRES, f"Nothing moves and nothing can be looked up: {error.detail}")
    return Why(Kind.STUCK, "Nothing owns this run: that must not be. `perdure doctor --fix` looks into it.")


def _run(view: View) -> Why | None:
    run = view.run
    if run.phase is None:
        return Why(Kind.ENDED, f"The run has ended: {run.status}.", since=run.finished_at)
    working = len(view.those(StepStatus.RUNNING))
    if run.cancel_requested:
        return Why(Kind.CANCELLING, f"It is being cancelled; {working} steps at work have yet to notice.")
    if reviews.holds(run):
        return Why(Kind.REVIEW, "Its plan waits for a look: change it, resume it, or cancel.", since=run.paused_at)
    if run.paused_because:
        sentence = f"It is paused: {run.paused_because} Raise it (PUT /api/runs/{run.id}/budget) and it goes on."
        return Why(Kind.PAUSED, sentence, since=run.paused_at)
    if run.paused_at and view.parent and view.parent.held:
        sentence = f"It is paused because run {view.parent.parent_id} is, which delegated it; resume that."
        return Why(Kind.PAUSED, sentence, since=run.paused_at)
    if run.paused_at:
        tail = f" ({working} steps still at work may end)" if working else ""
        return Why(Kind.PAUSED, f"It was paused {view.ago(run.paused_at)}{tail}; resume it.", since=run.paused_at)
    if view.read_only:
        return Why(Kind.POSTGRES, "Postgres takes no writes (it is read-only); end that for the run to go on.")
    return None


def _phase(view: View) -> Why | None:
    run = view.run
    if run.phase is None or run.phase == "execute":
        return None
    if run.phase_worker:
        return _owned(view, run.phase, run.phase_worker)
    if run.waits_for:
        return Why(Kind.TURN, f"It comes after run {run.waits_for} of its conversation, which has not ended.")
    if run.held_until:
        held = clock.to_wire(run.held_until)
        return Why(Kind.TIMER, f"It is held back until {held}, as it was asked for.", due_at=run.held_until)
    if run.due_at and run.due_at > view.now:
        tries = f"{run.phase_failures} {'time' if run.phase_failures == 1 else 'times'}"
        because = f" It said: {run.phase_error.rstrip('.')}." if run.phase_error else ""
        sentence = f"Its {run.phase} phase failed {tries} and is tried again at {clock.to_wire(run.due_at)}.{because}"
        return Why(Kind.PHASE_RETRY, sentence, due_at=run.due_at)
    kind = KIND_OF_PHASE[run.phase]
    return _held_up(view, kind, rung_at=run.rung_at) or Why(
        Kind.PHASE_UNOWNED,
        f"Its {run.phase} phase waits for a {kind} worker; rung {view.ago(run.rung_at)}.",
        since=run.rung_at,
    )


def _owned(view: View, phase: str, worker: str) -> Why:
    trouble = view.trouble_of(worker, "postgres")
    if trouble:
        return Why(Kind.POSTGRES, f"Worker {worker} can't write what its {phase} phase made: {trouble}", worker=worker)
    if worker not in view.workers:
        sentence = f"Worker {worker}, which held its {phase} phase, is dead; the sweeper gives it back."
        return Why(Kind.LEASE_OF_THE_DEAD, sentence, worker=worker)
    trouble = view.trouble_of(worker, "model")
    if trouble:
        return Why(
            Kind.MODEL_AWAY, f"Worker {worker} is at its {phase} phase and asks in vain: {trouble}", worker=worker
        )
    return Why(Kind.PHASE_OWNED, f"Worker {worker} is at its {phase} phase.", worker=worker)


def _running(view: View) -> Why | None:
    running = view.those(StepStatus.RUNNING)
    for step in running:
        trouble = view.trouble_of(step.worker, "postgres")
        if trouble:
            sentence = f"Worker {step.worker}, which has step {step.id} ({step.tool}), can't write: {trouble}"
            return Why(Kind.POSTGRES, sentence, step.id, step.worker, step.started_at)
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
        f"Worker {first.worker} runs step {first.id} ({first.tool}), started {view.ago(first.started_at)}{others}"
    )
    return Why(Kind.LEASE, f"{sentence}; its timeout of {first.timeout:g} s cuts it off if it hangs.", *at)


def _ready(view: View) -> Why | None:
    ready = [step for step in view.those(StepStatus.READY) if not _parked(view, step)]
    if not ready:
        return None
    first = min(ready, key=lambda step: step.ready_at or view.now)
    if first.tool not in view.tools:
        return _toolless(first)
    depth = view.depths.get(first.queue)
    queue = f"; {depth} messages wait in {first.queue}" if depth is not None else ""
    sentence = f"Step {first.id} ({first.tool}) is ready and was rung {view.ago(first.rung_at)}{queue}"
    return _held_up(view, "execution", first.id, first.rung_at) or Why(
        Kind.READY, f"{sentence}; if that message is lost, the sweeper rings again.", first.id, since=first.ready_at
    )


def _parked(view: View, step: Step) -> bool:
    return bool(step.flow_keys and step.rung_at and step.rung_at > view.now + timedelta(days=1))


def _turn(view: View) -> Why | None:
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


def _in_doubt(view: View) -> Why | None:
    for step in view.those(StepStatus.IN_DOUBT):
        detail = (step.error or {}).get("detail", "")
        sentence = f"Step {step.id} ({step.tool}) is in doubt and waits for a person (`perdure resolve`): {detail}"
        return Why(Kind.IN_DOUBT, sentence, step.id, step.worker, step.ready_at)
    return None


def _asked(view: View) -> Why | None:
    """What a person is asked, when nothing moves before that is decided."""
    for step in view.those(StepStatus.WAITING):
        asked = view.asked.get(step.id)
        if asked:
            what = "an answer to its question" if asked.kind == "question" else f"an approval of {step.tool}"
            sentence = f"Step {step.id} waits for {what}; decide {asked.id} (`perdure approvals`)."
            return Why(Kind.APPROVAL, sentence, step.id, since=asked.requested_at, due_at=asked.expires_at)
    return None


def _delegated(view: View) -> Why | None:
    """Whom a waiting step waits for."""
    for step in view.those(StepStatus.WAITING):
        team = [(child, status) for child, status in view.children if child.step_id == step.id and not child.detached]
        live = [(child, status) for child, status in team if child.ended_at is None]
        if live:
            first, status = live[0]
            count = f"{len(live)} of {len({child.place for child, _ in team})} runs that it has delegated to"
            sentence = f"Step {step.id} waits for {count}; the first is {first.child_id} ({status})."
            return Why(Kind.CHILDREN, sentence, step.id, since=first.created_at, due_at=step.due_at)
    return None


def _waiting(view: View) -> Why | None:
    waiting = view.those(StepStatus.WAITING)
    if not waiting:
        return None
    first = min(waiting, key=lambda step: step.due_at or view.now)
    if (first.error or {}).get("reason") == "no_tool":
        return _toolless(first)
    if first.due_at and first.due_at < view.now and not view.living("scheduler"):
        return _nobody(view, "scheduler", first.id)
    if first.error:
        return Why(Kind.RETRY_BACKOFF, view.sleep_of(first), first.id, due_at=first.due_at)
    kind = Kind.MESSAGE if first.id in view.sent else Kind.TIMER
    return Why(kind, view.sleep_of(first), first.id, due_at=None if first.id in view.sent else first.due_at)


def _settled(view: View) -> Why | None:
    if view.run.open_steps or any(step.status == StepStatus.PENDING for step in view.steps):
        return None
    sentence = "All steps have ended; it waits for a reflection worker to take it."
    return _held_up(view, "reflection", rung_at=view.run.rung_at) or Why(
        Kind.NOT_JOINED, sentence, since=view.run.rung_at
    )


def _toolless(step: Step) -> Why:
    sentence = f"Step {step.id} needs the tool {step.tool!r}, which no worker has that took it; start one that has it."
    return Why(Kind.MISSING_TOOL, sentence, step.id, since=step.ready_at)


def _held_up(view: View, kind: str, step_id: str | None = None, rung_at: datetime | None = None) -> Why | None:
    """What keeps everybody from taking what waits for a worker of that kind, if anything does."""
    what = f"Step {step_id}" if step_id else "It"
    if view.broker:
        sentence = f"{what} waits for a message, and the broker is away: {view.broker} Nothing is lost."
        return Why(Kind.BROKER_AWAY, sentence, step_id)
    nobody = _nobody(view, kind, step_id)
    if nobody:
        return nobody
    found = view.living(kind)
    if all(worker.slots and worker.busy >= worker.slots for worker in found):
        slots = sum(worker.slots for worker in found)
        remedy = f"start another, or raise {kind.upper()}_CONCURRENCY"
        taken = f"all {slots} slots of {len(found)} {kind} worker(s) are taken"
        return Why(Kind.BUSY, f"{what} waits for a free slot: {taken}; {remedy}.", step_id)
    long_ago = rung_at is not None and rung_at < view.now - timedelta(seconds=DEAF_SECONDS)
    deaf = view.deaf(kind, DEAF_SECONDS)
    if deaf and long_ago and view.depths.get(kind, 0) > 0:
        sentence = f"{what} waits for worker {deaf[0].id}, which lives and takes no message"
        sentence += f" ({view.depths[kind]} wait); restart it, or let `perdure doctor --fix` try."
        return Why(Kind.NOT_CONSUMING, sentence, step_id, deaf[0].id, deaf[0].taken_at)
    return None


def _nobody(view: View, kind: str, step_id: str | None = None) -> Why | None:
    trouble = view.trouble_of_all(kind)
    what = f"Step {step_id}" if step_id else "It"
    name = "scheduler" if kind == "scheduler" else f"{kind} worker"
    if trouble:
        sentence = f"{what} waits for a {name}, and {trouble.worker} can't write: {trouble.sentence}"
        return Why(Kind.POSTGRES, sentence, step_id, trouble.worker)
    if view.living(kind):
        return None
    return Why(Kind.NO_WORKER, f"{what} waits for a {name}, and none is alive; start one.", step_id)
