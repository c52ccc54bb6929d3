"""How a worker takes steps and says how they ended: compare-and-set, fenced by the attempt's number."""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from services import database

Outcome = Literal["succeeded", "failed", "retry", "waiting", "cancelled"]
LossReason = Literal["timed_out", "broken"]


@dataclass(frozen=True)
class Claim:
    """A step that this worker may run, with all it needs for it. `fence` goes with the result.

    outputs: step id → output of each dependency. run: tenant, user_id, conversation_id. effect_key: the name of this
    effect, the same on every attempt. unsure: an earlier attempt at it ended without our knowing how. flow_keys: the
    limited keys at which it holds a slot. opens: how many steps wait for its result.
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
    be trusted to say so: the worker rings the next phase.
    """

    fenced: bool
    rings: bool


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


def finish(  # noqa: PLR0913 (an attempt's end has this many sides)
    claim: Claim,
    outcome: Outcome,
    *,
    worker: str,
    input: dict[str, Any] | None = None,
    output: Any = None,
    error: dict[str, Any] | None = None,
    delay: float | None = None,
    asks: dict[str, Any] | None = None,
    room: Room = Room(1),
) -> Finished:
    """Record how an attempt ended, in one commit with all that follows from it.

    delay: seconds until a retry or a wait is due. asks: of a person, by a waiting step. room: how many of the steps
    that this made ready (or else of those held) are claimed for this worker.
    """
    given = None if input is None else database.json(input)
    mine = (claim.run_id, claim.step_id, claim.fence, worker)
    then = (delay, room.steps, room.instant, room.held)
    if asks is not None:
        found = database.insist("ask_person", *mine, given, *then, database.json(asks), again="ask_person_again")
    else:
        result = None if outcome != "succeeded" else database.json(output)
        why = None if error is None else database.json(error)
        found = database.insist("finish_step", *mine, outcome, given, result, why, *then, again="finish_step_again")
    return Finished(*_given(found), fenced=found["fenced"], rings=found["rings"])


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
        opens=row["opens"],
        outputs=row["outputs"] or {},
        run=row["run"],
    )
