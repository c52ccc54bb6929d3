"""/api/webhooks: who is told of runs and approvals; secrets and their rotation, a test ping, what was delivered."""

from typing import Annotated, Any

from flask import Blueprint, Response, request
from pydantic import Field

from gateway import authentication, bodies, wire
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


class Change(bodies.Body):
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


@blueprint.get("/api/webhooks")
def listed() -> Response:
    """All subscriptions, the oldest first."""
    return wire.reply({"items": [_shown(each) for each in subscriptions.listed(_tenant())], "next": None})


@blueprint.post("/api/webhooks")
def add() -> Response:
    """A new subscription; its secret is shown this once."""
    asked, _ = bodies.read(NewWebhook)
    subscriptions.check(asked.url, asked.events)
    made, secret = subscriptions.add(_tenant(), **asked.model_dump())
    return wire.reply({**_shown(made), "secret": secret}, status=201)


@blueprint.get("/api/webhooks/events")
def events() -> Response:
    """The events that can be subscribed to."""
    return wire.reply({"items": list(subscriptions.OFFERED)})


@blueprint.get("/api/webhooks/<webhook_id>")
def show(webhook_id: str) -> Response:
    """One subscription."""
    return wire.reply(_shown(subscriptions.get(_tenant(), webhook_id)))


@blueprint.patch("/api/webhooks/<webhook_id>")
def change(webhook_id: str) -> Response:
    """Change a subscription; also how to pause and resume it. What happens while it is paused is not told later."""
    asked, _ = bodies.read(Change)
    fields = {name: value for name, value in asked.model_dump(exclude_unset=True).items() if value is not None}
    subscriptions.check(fields.get("url"), fields.get("events"))
    return wire.reply(_shown(subscriptions.change(_tenant(), webhook_id, **fields)))


@blueprint.delete("/api/webhooks/<webhook_id>")
def remove(webhook_id: str) -> Response:
    """End a subscription; what was not delivered yet is cancelled."""
    subscriptions.remove(_tenant(), webhook_id)
    return wire.reply({"id": webhook_id})


@blueprint.post("/api/webhooks/<webhook_id>/rotate-secret")
def rotate(webhook_id: str) -> Response:
    """A new secret, shown this once; the former one stays good for a while."""
    asked = bodies.read(Rotation)[0] if request.get_data() else Rotation()
    found, secret = subscriptions.rotate(
        _tenant(), webhook_id, keep_seconds=asked.keep_seconds, secret=asked.secret
    )  # fmt: skip
    return wire.reply({**_shown(found), "secret": secret})


@blueprint.post("/api/webhooks/<webhook_id>/test")
def test(webhook_id: str) -> Response:
    """Send `webhook.ping`; GET /api/messages/<id> tells what became of it."""
    return wire.reply({"messageId": subscriptions.ping(_tenant(), webhook_id)}, status=202)


def _shown(found: Subscription) -> dict[str, Any]:
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
