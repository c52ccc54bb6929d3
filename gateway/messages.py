"""/api/messages: what was published, with every attempt; cancel, try now, redrive, discard, one by one or in bulk."""

from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Blueprint, Response, request
from pydantic import Field

from gateway import authentication, bodies, queries, wire
from gateway.bodies import Moment
from services import clock
from services.delivery import attempts, messages
from services.delivery.attempts import DeliveryAttempt
from services.delivery.messages import SOURCES, STATUSES, Filter, Message
from services.errors import PerdureError
from services.pipeline import phases, waiting_senders

MOST_AT_ONCE = 1_000
VERBS = {"cancel": "cancel", "retry-now": "hasten", "redrive": "redrive", "discard": "discard"}

blueprint = Blueprint("messages", __name__)


class Wanted(bodies.Body):
    """Which messages are meant; what is left out is no condition."""

    status: Literal[STATUSES] | None = None  # type: ignore[valid-type]
    source: Literal[SOURCES] | None = None  # type: ignore[valid-type]
    queue: str | None = None
    group: str | None = None
    url: str | None = None
    labels: dict[str, str] | None = None
    since: Moment | None = None
    until: Moment | None = None


class BulkRequest(bodies.Body):
    """Do `action` to all messages that fit, newest first, at most `limit`; with dryRun only say which."""

    action: Literal["cancel", "redrive", "discard", "retry-now"]
    filter: Wanted
    dry_run: bool = False
    limit: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] = MOST_AT_ONCE


@blueprint.get("/api/messages")
def listed() -> Response:
    """The tenant's messages, newest first."""
    queries.known_only(
        *("limit", "cursor", "status", "source", "queue", "group", "url", "workflowId", "webhook", "label"),
        *("since", "until"),
    )
    limit = queries.integer("limit", 50, least=1, most=200)
    found = messages.listed(_tenant(), _filter(), limit=limit + 1, before=queries.cursor())
    page = found[:limit]
    following = queries.cursor_of(page[-1].created_at, page[-1].id) if len(found) > limit else None
    return wire.reply({"items": [_summary(each) for each in page], "next": following})


@blueprint.get("/api/messages/<message_id>")
def show(message_id: str) -> Response:
    """One message, what it carries (redacted fields as hashes), and every attempt."""
    return _one(message_id)


@blueprint.post("/api/messages/<message_id>/<any('cancel', 'retry-now', 'redrive', 'discard'):verb>")
def change(message_id: str, verb: str) -> Response:
    """Cancel it, try it now, redrive a dead one with all its attempts anew, or discard a dead one."""
    messages.change(_tenant(), message_id, VERBS[verb])
    _carry_on(1)
    return _one(message_id, status=202)


@blueprint.post("/api/messages/bulk")
def bulk() -> Response:
    """The same for all that fit a filter."""
    asked, _ = bodies.read(BulkRequest)
    wanted = Filter(**asked.filter.model_dump())
    found = messages.listed(_tenant(), wanted, limit=asked.limit)
    done = [{"id": str(each.id), "refused": None if asked.dry_run else _tried(each, asked.action)} for each in found]
    _carry_on(len(done))
    return wire.reply({"items": done, "dryRun": asked.dry_run}, status=200 if asked.dry_run else 202)


def _tried(message: Message, action: str) -> str | None:
    try:
        messages.change(message.tenant, str(message.id), VERBS[action])
    except PerdureError as error:
        return error.detail
    return None


def _carry_on(changed: int) -> None:
    phases.ring_delivery(changed)
    waiting_senders.wake()


def _one(message_id: str, *, status: int = 200) -> Response:
    found = messages.get(_tenant(), message_id)
    shown = found.shown or {"headers": found.headers, "body": found.body}
    tries = [_attempt(each) for each in attempts.of_message(found.id)]
    return wire.reply(
        {
            **_summary(found),
            **shown,
            "redacted": found.shown is not None,
            "timeout": found.timeout,
            "retryDelay": found.retry_delay,
            "secret": found.secret,
            "callbacks": {name: url for name, url in (found.callbacks or {}).items() if name != "secret"},
            "attempts": tries,
        },
        status=status,
    )


def _summary(message: Message) -> dict[str, Any]:
    waits = message.status in ("queued", "throttled", "waiting")
    return {
        "id": str(message.id),
        "status": message.status,
        "source": message.source,
        "url": message.url,
        "method": message.method,
        "group": message.group_name,
        "queue": message.queue,
        "flow": message.flow.removeprefix(f"{message.tenant}/") if message.flow else None,
        "labels": message.labels,
        "webhook": str(message.subscription_id) if message.subscription_id else None,
        "workflowId": str(message.run_id) if message.run_id else None,
        "stepId": message.step_id,
        "tries": message.attempt,
        "failures": message.failures,
        "retries": message.max_attempts - 1,
        "dueAt": clock.to_wire(message.due_at) if waits else None,
        "deadline": clock.to_wire(message.deadline),
        "error": message.error,
        "reply": message.reply,
        "createdAt": clock.to_wire(message.created_at),
        "finishedAt": clock.to_wire(message.finished_at),
    }


def _attempt(each: DeliveryAttempt) -> dict[str, Any]:
    return {
        "attempt": each.attempt,
        "outcome": each.outcome,
        "status": each.status,
        "error": each.error,
        "reply": each.reply,
        "worker": each.worker,
        "startedAt": clock.to_wire(each.started_at),
        "endedAt": clock.to_wire(each.ended_at),
    }


def _filter() -> Filter:
    return Filter(
        status=queries.choice("status", list(STATUSES)),
        source=queries.choice("source", list(SOURCES)),
        queue=request.args.get("queue"),
        group=request.args.get("group"),
        url=request.args.get("url"),
        run_id=_id("workflowId"),
        subscription_id=_id("webhook"),
        labels=queries.labels(),
        since=queries.moment("since"),
        until=queries.moment("until"),
    )


def _id(name: str) -> UUID | None:
    text = request.args.get(name)
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise queries.refused(name, "must be an id.") from error


def _tenant() -> str:
    return authentication.caller().tenant
