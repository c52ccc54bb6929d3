"""Messages: one row each from the moment they are accepted. How they move is journal/functions/5_delivery.sql.

A message has one id for all its attempts (the header `webhook-id`), so a receiver that looks at it takes each once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    Select,
    Text,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import clock, database
from services.errors import Conflict, NotFound
from services.journal import blobs

STATUSES = ("queued", "throttled", "waiting", "delivering", "delivered", "dead", "cancelled", "discarded")
SOURCES = ("api", "step", "webhook", "callback")
FINISHED = ("delivered", "dead", "cancelled", "discarded")
KEPT_DAYS = 30
ATTEMPTS = 9

_NOT_NOW = {
    "cancel": "Only what has not been delivered or given up can be cancelled.",
    "discard": "Only a dead message can be discarded.",
    "hasten": "Only a message that waits can be tried now; redrive a dead one.",
    "redrive": "Only a dead or cancelled message can be redriven, and not one of which redacted fields are gone.",
}


class Message(database.Base):
    """A message to one URL. place: its order in its queue. group_name: the URL group that it was sent to.

    body: a text, {base64} or a reference to a blob. shown: {headers, body} as they may be shown, where fields are
        redacted. secret: the name of the secret that it is signed with; of a webhook, those of its subscription are.
    attempt: the fence. failures: counts against max_attempts. rounds: how often it was redriven. retry_delay: see
        retry_delays.py. callbacks: {success, failure, secret}. reply: {status, body} of the newest attempt.
    effect: of the step that waits for it; wait_hash, told: how that step is woken, and whether it was. seen: the step
        has failed by it.
    """

    __tablename__ = "delivery_messages"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    tenant: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(Text)
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    body: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    shown: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    secret: Mapped[str | None] = mapped_column(Text)
    subscription_id: Mapped[UUID | None] = mapped_column()
    group_name: Mapped[str | None] = mapped_column(Text)
    queue: Mapped[str | None] = mapped_column(Text)
    flow: Mapped[str | None] = mapped_column(Text)
    labels: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    status: Mapped[str] = mapped_column(Text)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    deadline: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    timeout: Mapped[float] = mapped_column(Double)
    max_attempts: Mapped[int] = mapped_column(Integer)
    retry_delay: Mapped[str | None] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    rounds: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    worker: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    callbacks: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    run_id: Mapped[UUID | None] = mapped_column()
    step_id: Mapped[str | None] = mapped_column(Text)
    effect: Mapped[str | None] = mapped_column(Text)
    wait_hash: Mapped[str | None] = mapped_column(Text)
    told: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    seen: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    reply: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        # what is due
        Index("ix_delivery_messages_due", "due_at", postgresql_where=text("status = 'waiting'")),
        # what is under way: of a dead worker, to a host, at a flow key
        Index("ix_delivery_messages_under_way", "worker", postgresql_where=text("status = 'delivering'")),
        # who waits at a flow key
        Index("ix_delivery_messages_throttled", "flow", "due_at", postgresql_where=text("status = 'throttled'")),
        # the next in a queue, and how many of it are open
        Index("ix_delivery_messages_queued", "tenant", "queue", "place", postgresql_where=text("status = 'queued'")),
        Index(
            "ix_delivery_messages_open",
            "tenant",
            "queue",
            postgresql_where=text("queue is not null and status in ('waiting', 'throttled', 'delivering')"),
        ),
        # what a step waits for; which of those have not been told
        Index("ix_delivery_messages_effect", "effect", postgresql_where=text("effect is not null")),
        Index(
            "ix_delivery_messages_untold", "effect", postgresql_where=text("effect is not null and not told")
        ),
        # a tenant's messages, newest first; of one status; of a run; of a subscription
        Index(None, "tenant", "created_at", "id"),
        Index(None, "tenant", "status", "created_at", "id"),
        Index("ix_delivery_messages_run_id", "run_id", postgresql_where=text("run_id is not null")),
        Index("ix_delivery_messages_subscription", "subscription_id", "created_at",
              postgresql_where=text("subscription_id is not null")),
        # what is old enough to be forgotten
        Index("ix_delivery_messages_finished", "finished_at", postgresql_where=text("finished_at is not null")),
    )  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """A message that this worker may send. `attempt` goes with its end; failures: attempts that have failed so far."""

    id: str
    attempt: int
    tenant: str
    url: str
    host: str
    method: str
    headers: dict[str, str]
    body: Any
    secret: str | None
    subscription_id: str | None
    timeout: float
    failures: int
    max_attempts: int
    retry_delay: str | None
    flow: str | None
    effect: str | None


@dataclass(frozen=True)
class Filter:
    """Which messages are meant; None means any. since ≤ created < until."""

    status: str | None = None
    source: str | None = None
    queue: str | None = None
    group: str | None = None
    url: str | None = None
    run_id: UUID | None = None
    subscription_id: UUID | None = None
    labels: dict[str, str] | None = None
    since: datetime | None = None
    until: datetime | None = None


ANY = Filter()


def claim(worker: str, *, limit: int, per_host: int, mine: list[str]) -> list[Claim]:
    """Become the one who sends the next messages that are due. mine: the ids of those that this process sends now."""
    found = database.insist("claim_messages", worker, limit, per_host, mine, again="claim_messages_again")
    return [Claim(**each) for each in found]


def finish(claimed: Claim, end: dict[str, Any]) -> dict[str, Any]:
    """Record how an attempt ended; returns {fenced, status, dueIn}. end: as finish_message takes it."""
    ended: dict[str, Any] = database.insist(
        "finish_message", claimed.id, claimed.attempt, database.json(end), again="finish_message_again"
    )
    return ended


def get(tenant: str, message_id: str) -> Message:
    """The message with its whole body. Raises NotFound."""
    with database.session() as session:
        found = session.scalar(select(Message).where(Message.id == parse_id(message_id), Message.tenant == tenant))
        if found is not None:
            blobs.resolve(session, [found], "body")
    if found is None:
        raise NotFound(f"There is no message {message_id}.")
    return found


def of_effect(effect: str) -> list[Message]:
    """The messages that a step has sent, in their order."""
    with database.session() as session:
        return list(session.scalars(select(Message).where(Message.effect == effect).order_by(Message.place)))


def awaited(run_id: UUID) -> list[Message]:
    """The messages that steps of this run wait for, the newest first."""
    open_ones = (Message.run_id == run_id, Message.effect.is_not(None), Message.status.not_in(FINISHED))
    with database.session() as session:
        return list(session.scalars(select(Message).where(*open_ones).order_by(Message.place.desc())))


def standing(message: Message) -> str:
    """What a message that has not ended waits for, as the end of a sentence."""
    said = f"; it was: {message.error['detail'].rstrip('.')}" if message.error else ""
    if message.status == "queued":
        return f"which comes after others in the queue {message.queue}"
    if message.status == "throttled":
        return f"which waits for its turn at the flow key {message.flow}"
    if message.status == "delivering":
        return f"which is under way (attempt {message.attempt})"
    return f"which is sent at {clock.to_wire(message.due_at)}, after {message.failures} failures{said}"


def listed(tenant: str, wanted: Filter, *, limit: int, before: tuple[datetime, UUID] | None = None) -> list[Message]:
    """A tenant's messages that fit, newest first; `before` is the (created_at, id) of the last one before."""
    query = _fitting(select(Message), tenant, wanted).order_by(Message.created_at.desc(), Message.id.desc())
    if before:
        query = query.where(func.row(Message.created_at, Message.id) < func.row(*before))
    with database.session() as session:
        return list(session.scalars(query.limit(limit)))


def change(tenant: str, message_id: str, verb: str) -> None:
    """cancel, discard, redrive or hasten. Raises NotFound, or Conflict where its state does not allow that."""
    done = database.call("change_message", parse_id(message_id), tenant, verb, None)
    if done is None:
        raise NotFound(f"There is no message {message_id}.")
    if not done:
        raise Conflict(_NOT_NOW[verb])


def forget_old() -> None:
    """Drop what was settled a month ago, and what was given up three months ago."""
    while database.call("forget_messages", KEPT_DAYS, 1_000) == 1_000:
        pass


def parse_id(text_id: str) -> UUID:
    """The id from its text form. Raises NotFound."""
    try:
        return UUID(text_id)
    except ValueError as error:
        raise NotFound(f"There is no message {text_id[:80]!r}.") from error


def _fitting(query: Select[Any], tenant: str, wanted: Filter) -> Select[Any]:
    query = query.where(Message.tenant == tenant)
    for column, value in (
        (Message.status, wanted.status),
        (Message.source, wanted.source),
        (Message.queue, wanted.queue),
        (Message.group_name, wanted.group),
        (Message.url, wanted.url),
        (Message.run_id, wanted.run_id),
        (Message.subscription_id, wanted.subscription_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.labels:
        query = query.where(Message.labels.contains(wanted.labels))
    if wanted.since:
        query = query.where(Message.created_at >= wanted.since)
    if wanted.until:
        query = query.where(Message.created_at < wanted.until)
    return query
