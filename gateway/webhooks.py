"""/api/webhooks: who is told of runs and approvals; secrets and their rotation, a test ping, what was delivered."""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, wire
from gateway.declare import Page
from gateway.fields import Id, Time
from gateway.publishing import Labels, Url
from services import clock
from services.delivery import subscriptions
from services.delivery.subscriptions import Subscription

DAY = 86_400.0

blueprint = Blueprint("webhooks", __name__)

Events = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(min_length=1, max_length=50)]
Secret = Annotated[str, Field(min_length=16, max_length=500)]


class NewWebhook(bodies.Body):
    """url: where. events: names or patterns. labels: only of runs that have them. secret: made where none is given."""

    url: Url
    events: Events = Field(default_factory=lambda: ["run.succeeded", "run.failed", "run.cancelled"])
    labels: Labels = Field(default_factory=dict)
    description: Annotated[str, Field(max_length=1_000)] | None = None
    secret: Secret | None = None


class WebhookChange(bodies.Body):
    """What to change; what is left out stays."""

    url: Url | None = None
    events: Events | None = None
    labels: Labels | None = None
    description: Annotated[str, Field(max_length=1_000)] | None = None
    paused: bool | None = None


class Rotation(bodies.Body):
    """keepSeconds: how long messages are signed with the former secret too."""

    keep_seconds: Annotated[float, Field(ge=0, le=30 * DAY)] = DAY
    secret: Secret | None = None


class ShownWebhook(TypedDict):
    """Who is told of what. formerSecretUntil: how long messages are signed with the former secret too."""

    id: Id
    url: str
    events: list[str]
    labels: dict[str, str]
    description: str | None
    paused: bool
    pausedBecause: str | None
    formerSecretUntil: Time | None
    messagesUrl: str
    createdAt: Time


class NewlyMadeWebhook(ShownWebhook):
    """A subscription with its new secret."""

    secret: str


class ToSubscribeTo(TypedDict):
    """Names of events."""

    items: list[str]
    next: str | None


class Ended(TypedDict):
    """The subscription that is no more."""

    id: str


class Pinged(TypedDict):
    """The message that goes out."""

    messageId: Id


@blueprint.get("/api/webhooks")
@declare.operation(gives=Page[ShownWebhook])
def listed() -> Response:
    """All subscriptions, the oldest first."""
    return wire.reply(queries.all_of(subscriptions.listed(_tenant()), _shown))


@blueprint.post("/api/webhooks")
@declare.operation(takes=NewWebhook, gives={201: NewlyMadeWebhook}, example={"url": "https://shop.example.com/in"})
def add() -> Response:
    """A new subscription; its secret is shown this once."""
    asked, _ = bodies.read(NewWebhook)
    subscriptions.check(asked.url, asked.events)
    made, secret = subscriptions.add(_tenant(), **asked.model_dump())
    return wire.reply({**_shown(made), "secret": secret}, status=201)


@blueprint.get("/api/webhooks/events")
@declare.operation(gives=ToSubscribeTo)
def events() -> Response:
    """The events that can be subscribed to."""
    return wire.reply({"items": list(subscriptions.OFFERED), "next": None})


@blueprint.get("/api/webhooks/<webhook_id>")
@declare.operation(gives=ShownWebhook)
def show(webhook_id: str) -> Response:
    """One subscription."""
    return wire.reply(_shown(subscriptions.get(_tenant(), webhook_id)))


@blueprint.patch("/api/webhooks/<webhook_id>")
@declare.operation(takes=WebhookChange, gives=ShownWebhook)
def change(webhook_id: str) -> Response:
    """Change a subscription; also how to pause and resume it. What happens while it is paused is not told later."""
    asked, _ = bodies.read(WebhookChange)
    fields = {name: value for name, value in asked.model_dump(exclude_unset=True).items() if value is not None}
    subscriptions.check(fields.get("url"), fields.get("events"))
    return wire.reply(_shown(subscriptions.change(_tenant(), webhook_id, **fields)))


@blueprint.delete("/api/webhooks/<webhook_id>")
@declare.operation(gives=Ended)
def remove(webhook_id: str) -> Response:
    """End a subscription; what was not delivered yet is cancelled."""
    subscriptions.remove(_tenant(), webhook_id)
    return wire.reply({"id": webhook_id})


@blueprint.post("/api/webhooks/<webhook_id>/rotate-secret")
@declare.operation(takes=Rotation, optional=True, gives=NewlyMadeWebhook)
def rotate(webhook_id: str) -> Response:
    """A new secret, shown this once; the former one stays good for a while."""
    asked = bodies.read_or_default(Rotation)
    found, secret = subscriptions.rotate(
        _tenant(), webhook_id, keep_seconds=asked.keep_seconds, secret=asked.secret
    )  # fmt: skip
    return wire.reply({**_shown(found), "secret": secret})


@blueprint.post("/api/webhooks/<webhook_id>/test")
@declare.operation(gives={202: Pinged})
def test(webhook_id: str) -> Response:
    """Send `webhook.ping`; GET /api/messages/<id> tells what became of it."""
    return wire.reply({"messageId": subscriptions.ping(_tenant(), webhook_id)}, status=202)


def _shown(found: Subscription) -> ShownWebhook:
    return {
        "id": str(found.id),
        "url": found.url,
        "events": found.events,
        "labels": found.labels,
        "description": found.description,
        "paused": found.paused or found.paused_because is not None,
        "pausedBecause": found.paused_because,
        "formerSecretUntil": clock.to_wire(found.former_until),
        "messagesUrl": f"/api/messages?webhook={found.id}",
        "createdAt": clock.to_wire(found.created_at),
    }


def _tenant() -> str:
    return authentication.caller().tenant
