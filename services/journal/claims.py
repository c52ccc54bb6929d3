"""How a worker takes steps and says how they ended: compare-and-set, fenced by the attempt's number."""

import time
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from services import database

Outcome = Literal["failed", "retry", "waiting", "cancelled"]
LossReason = Literal["timed_out", "broken"]
_ASKING = {"signal": "await_signal", "delegation": "delegate_step"}


@dataclass(frozen=True)
class Claim:
    """A step that this worker may run, with all it needs for it. `fence` goes with the result.

    outputs: step id → output of each dependency. run: tenant, user_id, conversation_id, agent, accounts, model.
    effect_key: the name of this effect, the same on every attempt. unsure: an earlier attempt at it ended without our
    knowing how. flow_keys: the limited keys at which it holds a slot. opens: how many steps wait for its result.
    control: {when, forEach, items}. ahead: what may be run together with it, if its tool is an instant one.
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
    opens: int
    outputs: dict[str, Any]
    run: dict[str, Any]
    control: dict[str, Any] | None = None
    ahead: "Ahead | None" = None


@dataclass(frozen=True)
class Follower:
    """A step of an instant tool that may be run ahead, once so many (`unmet`) of its dependencies have ended.

    claim: what it would be, but for the bounds of an attempt, which are those of the step that it follows. refers: its
    arguments refer to their outputs.
    """

    claim: Claim
    depends_on: list[str]
    unmet: int
    refers: bool


@dataclass(frozen=True)
class Ahead:
    """What a worker may run ahead of its commits, in the plan's order; `seen` goes with the results."""

    followers: list[Follower]
    seen: int


@dataclass(frozen=True)
class Done:
    """A successful attempt, not yet recorded. claimed: false of a step run ahead. input: the arguments as called, None
    when they stayed as planned. began, ended: time.monotonic()."""

    claim: Claim
    claimed: bool
    input: dict[str, Any] | None
    output: Any
    began: float
    ended: float


class ReadyStep(NamedTuple):
    """A step that waits for a worker."""

    id: str
    tool: str


@dataclass(frozen=True)
class Room:
    """What a worker can start at this moment.

    steps: how many at once, the one that it goes on with itself counted in; 0 when it stops. instant: names of the
    tools that it runs in place, one after another. held: ready steps of such tools, kept without a message. workers:
    how many share the first steps of an execution.
    """

    steps: int
    instant: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    workers: int = 1


@dataclass(frozen=True)
class Begun:
    """What a worker was given at the start of an execution.

    claims: steps that it now owns, none when flow keys limit all that is ready. ready: the other ready steps. events:
    to publish.
    """

    claims: list[Claim]
    ready: list[ReadyStep]
    events: list[dict[str, Any]]


@dataclass(frozen=True)
class Finished(Begun):
    """What finishing a step led to: as above, with the steps that this made ready.

    fenced: the result came too late and was only kept for the record. rings: it was the last, and the run's chord can't
    be trusted to say so: the worker rings the next phase. started: runs that this step has delegated to, each with
    whether it brought its plan; they are to be rung.
    """

    fenced: bool
    rings: bool
    started: list[tuple[str, bool]] = field(default_factory=list)


def take(run_id: str, step_id: str, worker: str) -> tuple[Claim, list[dict[str, Any]]] | None:
    """Become the owner of a ready step; returns it with the events to publish, or None when it is not there to take."""
    claimed = database.insist("claim_step", run_id, step_id, worker, again="claim_step_again")
    return (_claim(claimed), claimed["events"]) if claimed else None


def begin(run_id: str, worker: str, room: Room) -> Begun | None:
    """Begin the execution of a planned run; None for a doubled message."""
    begun = database.insist(
        "begin_execution", run_id, worker, room.steps, room.workers, room.instant, again="begin_execution_again"
    )
    return Begun(*_given(begun)) if begun else None


def complete(done: list[Done], *, worker: str, room: Room) -> Finished | None:
    """Record successes, the first of them claimed, in one commit with all that follows from them.

    room: how many of the steps that this made ready (or else of those held) are claimed for this worker. None when
    something happened to a step that was run ahead: then nothing is recorded, and the claimed ones go alone.
    """
    first, now = done[0].claim, time.monotonic()
    ended = [
        {
            "id": each.claim.step_id,
            "attempt": each.claim.fence,
            "claimed": each.claimed,
            "input": each.input,
            "output": each.output,
            "began": now - each.began,
            "ended": now - each.ended,
        }
        for each in done
    ]
    seen = first.ahead.seen if first.ahead else 0
    then = (room.steps, room.instant, room.held)
    found = database.insist(
        "complete_steps", first.run_id, worker, database.json(ended), seen, *then, again="complete_steps_again"
    )
    return None if "refused" in found else _finished(found)


def finish(  # noqa: PLR0913 (an attempt's end has this many sides)
    claim: Claim,
    outcome: Outcome,
    *,
    worker: str,
    input: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
    delay: float | None = None,
    asks: dict[str, Any] | None = None,
    room: Room = Room(1),
) -> Finished:
    """Record how an attempt ended that has not succeeded, in one commit with all that follows from it.

    delay: seconds until a retry or a wait is due. asks: of a person, by a waiting step. room: how many of the held
    steps are claimed for this worker.
    """
    given = None if input is None else database.json(input)
    mine = (claim.run_id, claim.step_id, claim.fence, worker)
    then = (delay, room.steps, room.instant, room.held)
    if asks is not None:
        function = _ASKING.get(asks["kind"], "ask_person")
        found = database.insist(function, *mine, given, *then, database.json(asks), again=f"{function}_again")
    else:
        why = None if error is None else database.json(error)
        found = database.insist("finish_step", *mine, outcome, given, why, *then, again="finish_step_again")
    return _finished(found)


def leave_out(claim: Claim, because: str) -> Finished:
    """The step's condition does not hold: it is skipped, and what does not need its output goes on."""
    return _finished(
        database.insist("leave_out_step", claim.run_id, claim.step_id, claim.fence, because, again="leave_out_step")
    )


def expand(claim: Claim, items: list[dict[str, Any]]) -> Finished:
    """The step becomes one for each of these arguments, and waits for them to collect their outputs."""
    mine = (claim.run_id, claim.step_id, claim.fence)
    return _finished(database.insist("expand_step", *mine, database.json(items), again="expand_step"))


def _finished(found: dict[str, Any]) -> Finished:
    started = [(run_id, planned) for run_id, planned in found.get("started", [])]
    return Finished(*_given(found), fenced=found["fenced"], rings=found["rings"], started=started)


def _given(found: dict[str, Any]) -> tuple[list[Claim], list[ReadyStep], list[dict[str, Any]]]:
    claims = [_claim(claim) for claim in found["claims"]]
    return claims, [ReadyStep(*step) for step in found["ready"]], found["events"]


def lose(claim: Claim, reason: LossReason, detail: str, *, input: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Say that nobody knows how this attempt ended: the step runs again, or waits for a person, as its effect says.

    Returns the events to publish; none when the attempt was fenced off.
    """
    given = None if input is None else database.json(input)
    return database.insist(
        "lose_step", claim.run_id, claim.step_id, claim.fence, reason, detail, given, again="lose_step"
    )


def give_back(claim: Claim, detail: str) -> list[dict[str, Any]]:
    """Give back a step that this worker can't run; nothing was called. Returns the events to publish."""
    return database.insist("return_step", claim.run_id, claim.step_id, claim.fence, detail, again="return_step")


def hold_for_budget(claim: Claim, because: str) -> list[dict[str, Any]]:
    """Give back a step whose budget is used up, and pause its run. Returns the events to publish."""
    return database.insist(
        "hold_for_budget", claim.run_id, claim.step_id, claim.fence, because, again="hold_for_budget"
    )


def report_progress(claim: Claim, text: str) -> list[dict[str, Any]]:
    """Record `step.progress` for a running attempt; returns the event, or nothing when fenced off."""
    return database.call("report_step_progress", claim.run_id, claim.step_id, claim.fence, text)


def _claim(row: dict[str, Any]) -> Claim:
    claim = Claim(
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
        effect_key=_effect_key(row["run"]["id"], row),
        unsure=row["unsure"],
        flow_keys=row["flow_keys"],
        opens=row["opens"],
        outputs=row["outputs"] or {},
        run=row["run"],
        control=row["control"],
    )
    return replace(claim, ahead=_ahead(claim, row["ahead"])) if "ahead" in row else claim


def _ahead(first: Claim, row: dict[str, Any]) -> Ahead:
    return Ahead([_follower(first, step) for step in row["steps"]], row["seen"])


def _follower(first: Claim, row: dict[str, Any]) -> Follower:
    claim = replace(
        first,
        step_id=row["id"],
        fence=row["attempt"],
        tool=row["tool"],
        arguments=row["arguments"],
        effect_key=_effect_key(first.run_id, row),
        opens=row["opens"],
        outputs=row["outputs"] or {},
        control=None,
    )
    return Follower(claim, row["depends_on"], row["unmet"], refers=row["outputs"] is not None)


def _effect_key(run_id: str, row: dict[str, Any]) -> str:
    return row["effect_key"] or f"{run_id}:{row['id']}"
