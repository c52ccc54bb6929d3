"""/api/messages: what was published, with every attempt; cancel, try now, redrive, discard, one by one or in bulk."""

from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, wire
from gateway.declare import Page
from gateway.fields import Anything, Id, Moment, Time
from services import clock
from services.delivery import attempts, messages
from services.delivery.attempts import DeliveryAttempt
from services.delivery.messages import SOURCES, STATUSES, Filter, Message
from services.errors import PerdureError
from services.pipeline import phases, waiting_senders

MOST_AT_ONCE = 1_000
VERBS = {"cancel": "cancel", "retry-now": "hasten", "redrive": "redrive", "discard": "discard"}

EXAMPLE = {"action": "redrive", "filter": {"status": "dead"}, "dryRun": True}

blueprint = Blueprint("messages", __name__)


class MessageFilter(bodies.Body):
    """Which messages are meant; what is left out is no condition."""

    status: Literal[STATUSES] | None = None  # type: ignore[valid-type]
    source: Literal[SOURCES] | None = None  # type: ignore[valid-type]
    queue: str | None = None
    group: str | None = None
    url: str | None = None
    labels: dict[str, str] | None = None
    since: Moment | None = None
    until: Moment | None = None


class MessageBulk(bodies.Body):
    """Do `action` to all messages that fit, newest first, at most `limit`; with dryRun only say which."""

    action: Literal["cancel", "redrive", "discard", "retry-now"]
    filter: MessageFilter
    dry_run: bool = False
    limit: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] = MOST_AT_ONCE


class Wanted(queries.Query):
    """Which messages: all that fit every condition. since ≤ created < until."""

    status: Literal[STATUSES] | None = None  # type: ignore[valid-type]
    source: Literal[SOURCES] | None = None  # type: ignore[valid-type]
    queue: str | None = None
    group: str | None = None
    url: str | None = None
    workflow_id: UUID | None = None
    webhook: UUID | None = None
    label: queries.Labels = Field(default_factory=list)
    since: Moment | None = None
    until: Moment | None = None
    limit: int = queries.limit(50, 200)
    cursor: queries.Cursor | None = None

    def to_filter(self) -> Filter:
        names = ("status", "source", "queue", "group", "url", "since", "until")
        given = {name: getattr(self, name) for name in names}
        return Filter(run_id=self.workflow_id, subscription_id=self.webhook, labels=queries.labels(self.label), **given)


class ShownMessage(TypedDict):
    """A message to a URL, and how far its delivery is."""

    id: Id
    status: str
    source: str
    url: str
    method: str
    group: str | None
    queue: str | None
    flow: str | None
    labels: dict[str, str]
    webhook: Id | None
    workflowId: Id | None
    stepId: str | None
    tries: int
    failures: int
    retries: int
    dueAt: Time | None
    deadline: Time | None
    error: Anything
    reply: Anything
    createdAt: Time
    finishedAt: Time | None


class ShownTry(TypedDict):
    """One attempt at delivering a message."""

    attempt: int
    outcome: str | None
    status: int | None
    error: Anything
    reply: Anything
    worker: str | None
    startedAt: Time | None
    endedAt: Time | None


class MessageInFull(ShownMessage):
    """A message with what it carries (redacted fields as hashes), and every attempt."""

    headers: dict[str, Any]
    body: Anything
    redacted: bool
    timeout: float
    retryDelay: str | None
    secret: str | None
    callbacks: dict[str, Any]
    attempts: list[ShownTry]


class ChangedMessage(TypedDict):
    """One of many. refused: why nothing was done."""

    id: Id
    refused: str | None


class ChangedMessages(TypedDict):
    """What was (or, in a dry run, would be) done."""

    items: list[ChangedMessage]
    dryRun: bool


@blueprint.get("/api/messages")
@declare.operation(query=Wanted, gives=Page[ShownMessage])
def listed() -> Response:
    """The tenant's messages, newest first."""
    asked = queries.read(Wanted)
    before = queries.place(asked.cursor)
    found = messages.listed(_tenant(), asked.to_filter(), limit=asked.limit + 1, before=before)
    return wire.reply(queries.page(found, asked.limit, _summary, lambda one: queries.cursor_of(one.created_at, one.id)))


@blueprint.get("/api/messages/<message_id>")
@declare.operation(gives=MessageInFull)
def show(message_id: str) -> Response:
    """One message, what it carries (redacted fields as hashes), and every attempt."""
    return _one(message_id)


@blueprint.post("/api/messages/<message_id>/<any('cancel', 'retry-now', 'redrive', 'discard'):verb>")
@declare.operation(gives={202: MessageInFull})
def change(message_id: str, verb: str) -> Response:
    """Cancel it, try it now, redrive a dead one with all its attempts anew, or discard a dead one."""
    messages.change(_tenant(), message_id, VERBS[verb])
    _carry_on(1)
    return _one(message_id, status=202)


@blueprint.post("/api/messages/bulk")
@declare.operation(takes=MessageBulk, gives={200: ChangedMessages, 202: ChangedMessages}, example=EXAMPLE)
def bulk() -> Response:
    """The same for all that fit a filter."""
    asked, _ = bodies.read(MessageBulk)
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


def _summary(message: Message) -> ShownMessage:
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


def _attempt(each: DeliveryAttempt) -> ShownTry:
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


def _tenant() -> str:
    return authentication.caller().tenant
