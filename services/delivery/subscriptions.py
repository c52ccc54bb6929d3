"""Webhooks out: subscriptions to events of runs and approvals. journal/functions/7_told_events.sql writes the messages.

Each has a secret of its own; while one takes the place of another, messages are signed with both.
"""

from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import ARRAY, Boolean, DateTime, Index, LargeBinary, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import clock, database
from services.delivery import publishing
from services.delivery.messages import FINISHED, Message
from services.errors import BadInput, Failed, FieldError, NotFound
from services.journal import runs
from services.journal.event_names import EventName
from services.network import webhooks
from services.pipeline import phases
from services.secrets import vault

PING = "webhook.ping"
OFFERED = tuple(
    name.value for name in EventName if name.startswith(("run.", "approval.")) or name == EventName.BUDGET_EXCEEDED
)


class Subscription(database.Base):
    """events: names, or patterns like `run.*`. labels: only of runs that have all of these.

    secret: sealed; former_secret: that before it, good until former_until. paused_because: why Perdure itself stopped.
    """

    __tablename__ = "webhooks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    tenant: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    labels: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    description: Mapped[str | None] = mapped_column(Text)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    former_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    paused: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    paused_because: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    # who hears an event
    __table_args__ = (Index(None, "tenant"),)


def check(url: str | None, events: list[str] | None) -> None:
    """Raise BadInput for a URL that can't be one, and for an event that is never sent."""
    if url is not None:
        publishing.check_url(url, "#/url")
    for place, wanted in enumerate(events or []):
        if not any(fnmatchcase(name, wanted) for name in OFFERED):
            detail = f"is no event that is sent; known events: {', '.join(OFFERED)}, and patterns like run.*."
            raise BadInput(f"#/events/{place}: {detail}", errors=[FieldError(f"#/events/{place}", detail)])


def add(tenant: str, secret: str | None = None, **fields: Any) -> tuple[Subscription, str]:
    """A new subscription; returns it with its secret, which is shown this once."""
    chosen = secret or webhooks.new_secret()
    made = Subscription(tenant=tenant, secret=vault.sealed(chosen), **fields)
    with database.session() as session:
        session.add(made)
        session.flush()
        session.refresh(made)
    return made, chosen


def get(tenant: str, webhook_id: str) -> Subscription:
    """The subscription. Raises NotFound."""
    try:
        query = select(Subscription).where(Subscription.id == UUID(webhook_id), Subscription.tenant == tenant)
    except ValueError as error:
        raise NotFound(f"There is no webhook {webhook_id[:80]!r}.") from error
    with database.session() as session:
        found = session.scalar(query)
    if found is None:
        raise NotFound(f"There is no webhook {webhook_id}.")
    return found


def listed(tenant: str) -> list[Subscription]:
    """The tenant's subscriptions, the oldest first."""
    query = select(Subscription).where(Subscription.tenant == tenant).order_by(Subscription.created_at)
    with database.session() as session:
        return list(session.scalars(query))


def change(tenant: str, webhook_id: str, **fields: Any) -> Subscription:
    """Change these fields. paused=False also ends what Perdure itself stopped."""
    found = get(tenant, webhook_id)
    if "paused" in fields:
        fields["paused_because"] = None
    with database.session() as session:
        found = session.merge(found)
        for name, value in fields.items():
            setattr(found, name, value)
    return found


def rotate(tenant: str, webhook_id: str, *, keep_seconds: float, secret: str | None = None) -> tuple[Subscription, str]:
    """A new secret; messages are signed with the former one too for so long."""
    found = get(tenant, webhook_id)
    chosen = secret or webhooks.new_secret()
    until = clock.now() + timedelta(seconds=keep_seconds)
    fields = {"secret": vault.sealed(chosen), "former_secret": found.secret, "former_until": until}
    return change(tenant, webhook_id, **fields), chosen


def remove(tenant: str, webhook_id: str) -> None:
    """End a subscription; what was not delivered yet is cancelled."""
    found = get(tenant, webhook_id)
    waiting = select(Message.id).where(Message.subscription_id == found.id, Message.status.not_in(FINISHED))
    with database.session() as session:
        for message_id in session.scalars(waiting).all():
            session.execute(select(func.change_message(message_id, tenant, "cancel", None)))
        session.delete(session.merge(found))


def ping(tenant: str, webhook_id: str) -> str:
    """Send a message that says nothing; returns its id."""
    found = get(tenant, webhook_id)
    told = {"type": PING, "timestamp": clock.to_wire(clock.now()), "data": {"webhook": str(found.id)}}
    message = {
        "id": str(runs.new_id()),
        "tenant": tenant,
        "source": "webhook",
        "subscription_id": str(found.id),
        "url": found.url,
        "host": publishing.host_of(found.url),
        "method": "POST",
        "headers": {"Content-Type": "application/json"},
        "body": orjson.dumps(told).decode(),
        "timeout": 10,
        "max_attempts": 1,
    }
    database.call("publish_messages", database.json([message]))
    phases.ring_delivery()
    return str(message["id"])


def secrets_of(webhook_id: str) -> list[str]:
    """What its messages are signed with at present. Raises Failed when the subscription is gone."""
    with database.session() as session:
        found = session.get(Subscription, UUID(webhook_id))
    if found is None:
        raise Failed("The webhook that this message belongs to was removed.")
    sealed = [found.secret]
    if found.former_secret is not None and found.former_until is not None and found.former_until > clock.now():
        sealed.append(found.former_secret)
    return [vault.opened(each) for each in sealed]
