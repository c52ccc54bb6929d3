"""/api/dead-letters: what was given up; look at it, resume, restart or discard it, one by one or in bulk."""

from typing import Any, Literal
from uuid import UUID

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, wire
from gateway.declare import Page
from gateway.fields import Id, Moment, Time
from gateway.wire import RunSummary, ShownAttempt
from services import clock
from services.journal import attempts, dead_letters, runs
from services.journal.dead_letters import DeadLetter, Filter
from services.pipeline import operating
from services.pipeline.operating import Settled

EXAMPLE = {"action": "resume", "filter": {"tool": "fetch_page"}, "dryRun": True}

blueprint = Blueprint("dead_letters", __name__)

Reason = Literal["attempts_exhausted", "failed", "poison", "timed_out", "phase_failed"]


class LetterFilter(bodies.Body):
    """Which open letters are meant; what is left out is no condition."""

    reason: Reason | None = None
    tool: str | None = None
    labels: dict[str, str] | None = None
    since: Moment | None = None
    until: Moment | None = None

    def to_filter(self) -> Filter:
        return Filter(self.reason, self.tool, None, self.labels, self.since, self.until)


class LetterBulk(bodies.Body):
    """Do `action` to all letters that fit `filter`, newest first, at most `limit`; with dryRun only say which."""

    action: Literal["resume", "restart", "discard"]
    filter: LetterFilter
    dry_run: bool = False
    limit: int = Field(operating.MOST_AT_ONCE, ge=1, le=operating.MOST_AT_ONCE)


class Wanted(queries.Query):
    """Which letters; resolved: those taken care of (true), those not (false), or any."""

    reason: Reason | None = None
    tool: str | None = None
    workflow_id: UUID | None = None
    label: queries.Labels = Field(default_factory=list)
    since: Moment | None = None
    until: Moment | None = None
    resolved: Literal["false", "true", "any"] = "false"
    limit: int = queries.limit(50, 200)
    cursor: queries.Cursor | None = None

    def to_filter(self) -> Filter:
        resolved = {"false": False, "true": True, "any": None}[self.resolved]
        labels = queries.labels(self.label)
        return Filter(self.reason, self.tool, self.workflow_id, labels, self.since, self.until, resolved)


class ShownLetter(TypedDict):
    """What was given up, with the reason. stepId or phase: what of the run. successor: the run that goes on."""

    id: Id
    workflowId: Id
    stepId: str | None
    phase: str | None
    tool: str | None
    reason: Reason
    error: dict[str, Any] | None
    labels: dict[str, str]
    at: Time
    resolvedAt: Time | None
    resolution: str | None
    successor: Id | None


class LetterInFull(ShownLetter):
    """A letter with its run and the attempts that led to it."""

    run: RunSummary
    attempts: list[ShownAttempt]


class SettledLetter(ShownLetter):
    """A letter that was taken care of. continuesAs: the run that goes on."""

    continuesAs: Id | None


class SettledOne(TypedDict):
    """One letter of many. refused: why nothing was done."""

    id: Id
    workflowId: Id
    continuesAs: Id | None
    refused: str | None


class SettledMany(TypedDict):
    """What was (or, in a dry run, would be) done."""

    action: str
    dryRun: bool
    count: int
    items: list[SettledOne]


@blueprint.get("/api/dead-letters")
@declare.operation(query=Wanted, gives=Page[ShownLetter])
def listed() -> Response:
    """The tenant's letters, newest first: open ones, or with `resolved` those that were taken care of (true) or all."""
    asked = queries.read(Wanted)
    tenant, before = authentication.caller().tenant, queries.place(asked.cursor)
    found = dead_letters.listed(tenant, asked.to_filter(), limit=asked.limit + 1, before=before)
    return wire.reply(queries.page(found, asked.limit, _letter, lambda one: queries.cursor_of(one.at, one.id)))


@blueprint.get("/api/dead-letters/<letter_id>")
@declare.operation(gives=LetterInFull)
def show(letter_id: str) -> Response:
    """One letter with every attempt that led to it."""
    letter = dead_letters.get(authentication.caller().tenant, letter_id)
    ended = attempts.of_step(letter.run_id, letter.step_id) if letter.step_id else []
    run = runs.get(letter.tenant, str(letter.run_id))
    return wire.reply(
        {**_letter(letter), "run": wire.run_summary(run), "attempts": [wire.attempt(each) for each in ended]}
    )


@blueprint.post("/api/dead-letters/<letter_id>/<any(resume, restart, discard):action>")
@declare.operation(gives={202: SettledLetter})
def settle(letter_id: str, action: Any) -> Response:
    """Take care of one letter. Answers 202 with the letter and the run that goes on."""
    tenant = authentication.caller().tenant
    settled = operating.settle_letter(tenant, dead_letters.get(tenant, letter_id), action)
    after = dead_letters.get(tenant, letter_id)
    return wire.reply({**_letter(after), "continuesAs": settled.run_id}, status=202)


@blueprint.post("/api/dead-letters/bulk")
@declare.operation(takes=LetterBulk, gives=SettledMany, example=EXAMPLE)
def settle_many() -> Response:
    """Take care of all letters that fit. Answers what was (or, in a dry run, would be) done with each."""
    asked, _ = bodies.read(LetterBulk)
    done = operating.settle_letters(
        authentication.caller().tenant,
        asked.filter.to_filter(),
        asked.action,
        dry_run=asked.dry_run,
        limit=asked.limit,
    )
    return wire.reply(
        {
            "action": asked.action,
            "dryRun": asked.dry_run,
            "count": sum(each.refused is None for each in done),
            "items": [_settled(each) for each in done],
        }
    )


def _settled(settled: Settled) -> SettledOne:
    return {
        "id": str(settled.letter.id),
        "workflowId": str(settled.letter.run_id),
        "continuesAs": settled.run_id,
        "refused": settled.refused,
    }


def _letter(letter: DeadLetter) -> ShownLetter:
    return {
        "id": str(letter.id),
        "workflowId": str(letter.run_id),
        "stepId": letter.step_id,
        "phase": letter.phase,
        "tool": letter.tool,
        "reason": letter.reason,  # type: ignore[typeddict-item]
        "error": letter.error,
        "labels": letter.labels,
        "at": clock.to_wire(letter.at),
        "resolvedAt": clock.to_wire(letter.resolved_at),
        "resolution": letter.resolution,
        "successor": str(letter.successor) if letter.successor else None,
    }
