"""/api/dead-letters: what was given up; look at it, resume, restart or discard it, one by one or in bulk."""

from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Blueprint, Response, request
from pydantic import AwareDatetime, Field

from gateway import authentication, bodies, queries, wire
from services import clock
from services.journal import attempts, dead_letters, runs
from services.journal.dead_letters import DeadLetter, Filter
from services.pipeline import operating
from services.pipeline.operating import Settled

blueprint = Blueprint("dead_letters", __name__)

Moment = Annotated[AwareDatetime, Field(strict=False)]


class Wanted(bodies.Body):
    """Which open letters are meant; what is left out is no condition."""

    reason: Literal["attempts_exhausted", "failed", "poison", "timed_out", "phase_failed"] | None = None
    tool: str | None = None
    labels: dict[str, str] | None = None
    since: Moment | None = None
    until: Moment | None = None

    def to_filter(self) -> Filter:
        return Filter(self.reason, self.tool, None, self.labels, self.since, self.until)


class BulkRequest(bodies.Body):
    """Do `action` to all letters that fit `filter`, newest first, at most `limit`; with dryRun only say which."""

    action: Literal["resume", "restart", "discard"]
    filter: Wanted
    dry_run: bool = False
    limit: int = Field(operating.MOST_AT_ONCE, ge=1, le=operating.MOST_AT_ONCE)


@blueprint.get("/api/dead-letters")
def listed() -> Response:
    """The tenant's letters, newest first: open ones, or with `resolved` those that were taken care of (true) or all."""
    queries.known_only("limit", "cursor", "reason", "tool", "workflowId", "label", "since", "until", "resolved")
    limit = queries.integer("limit", 50, least=1, most=200)
    tenant = authentication.caller().tenant
    found = dead_letters.listed(tenant, _filter(), limit=limit + 1, before=queries.cursor())
    page = found[:limit]
    following = queries.cursor_of(page[-1].at, page[-1].id) if len(found) > limit else None
    return wire.reply({"items": [_letter(letter) for letter in page], "next": following})


@blueprint.get("/api/dead-letters/<letter_id>")
def show(letter_id: str) -> Response:
    """One letter with every attempt that led to it."""
    letter = dead_letters.get(authentication.caller().tenant, letter_id)
    ended = attempts.of_step(letter.run_id, letter.step_id) if letter.step_id else []
    run = runs.get(letter.tenant, str(letter.run_id))
    return wire.reply(
        {**_letter(letter), "run": wire.run_summary(run), "attempts": [wire.attempt(each) for each in ended]}
    )


@blueprint.post("/api/dead-letters/<letter_id>/<any(resume, restart, discard):action>")
def settle(letter_id: str, action: Any) -> Response:
    """Take care of one letter. Answers 202 with the letter and the run that goes on."""
    tenant = authentication.caller().tenant
    settled = operating.settle_letter(tenant, dead_letters.get(tenant, letter_id), action)
    after = dead_letters.get(tenant, letter_id)
    return wire.reply({**_letter(after), "continuesAs": settled.run_id}, status=202)


@blueprint.post("/api/dead-letters/bulk")
def settle_many() -> Response:
    """Take care of all letters that fit. Answers what was (or, in a dry run, would be) done with each."""
    asked, _ = bodies.read(BulkRequest)
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


def _filter() -> Filter:
    return Filter(
        reason=queries.choice("reason", list(dead_letters.REASONS)),
        tool=request.args.get("tool"),
        run_id=_run_id(),
        labels=queries.labels(),
        since=queries.moment("since"),
        until=queries.moment("until"),
        resolved={"false": False, "true": True, "any": None}[
            queries.choice("resolved", ["false", "true", "any"]) or "false"
        ],
    )


def _run_id() -> UUID | None:
    run_id = request.args.get("workflowId")
    return runs.parse_id(run_id) if run_id else None


def _settled(settled: Settled) -> dict[str, Any]:
    return {
        "id": str(settled.letter.id),
        "workflowId": str(settled.letter.run_id),
        "continuesAs": settled.run_id,
        "refused": settled.refused,
    }


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": str(letter.id),
        "workflowId": str(letter.run_id),
        "stepId": letter.step_id,
        "phase": letter.phase,
        "tool": letter.tool,
        "reason": letter.reason,
        "error": letter.error,
        "labels": letter.labels,
        "at": clock.to_wire(letter.at),
        "resolvedAt": clock.to_wire(letter.resolved_at),
        "resolution": letter.resolution,
        "successor": str(letter.successor) if letter.successor else None,
    }
