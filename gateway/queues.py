"""/api/queues: ordered queues of messages, with how many wait; their parallelism, pause and resume."""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, wire
from gateway.declare import Named, Page
from gateway.fields import Time
from services import clock
from services.delivery import ordered_queues
from services.delivery.ordered_queues import Depth
from services.errors import BadInput
from services.pipeline import phases

blueprint = Blueprint("queues", __name__)


class Queue(bodies.Body):
    """parallelism: how many of its messages may be open at a time; 1 keeps them strictly in order."""

    parallelism: Annotated[int, Field(ge=1, le=1_000)]


class ShownQueue(TypedDict):
    """A queue. open: messages under way; queued: those that wait."""

    name: str
    parallelism: int
    paused: bool
    open: int
    queued: int
    createdAt: Time


@blueprint.get("/api/queues")
@declare.operation(gives=Page[ShownQueue])
def listed() -> Response:
    """All queues by name."""
    return wire.reply(queries.all_of(ordered_queues.listed(_tenant()), _shown))


@blueprint.get("/api/queues/<name>")
@declare.operation(gives=ShownQueue)
def show(name: str) -> Response:
    """One queue."""
    return _one(name)


@blueprint.put("/api/queues/<name>")
@declare.operation(takes=Queue, gives=ShownQueue, example={"parallelism": 1})
def put(name: str) -> Response:
    """Make a queue, or change its parallelism."""
    asked, _ = bodies.read(Queue)
    if len(name) > 200:
        raise BadInput("The name of a queue has at most 200 characters; shorten it.")
    ordered_queues.put(_tenant(), name, parallelism=asked.parallelism)
    return _changed(name)


@blueprint.post("/api/queues/<name>/pause")
@declare.operation(gives=ShownQueue)
def pause(name: str) -> Response:
    """Send nothing of it until it is resumed; what is under way may end."""
    ordered_queues.pause(_tenant(), name, paused=True)
    return _one(name)


@blueprint.post("/api/queues/<name>/resume")
@declare.operation(gives=ShownQueue)
def resume(name: str) -> Response:
    """Go on where it was paused."""
    ordered_queues.pause(_tenant(), name, paused=False)
    return _changed(name)


@blueprint.delete("/api/queues/<name>")
@declare.operation(gives=Named)
def remove(name: str) -> Response:
    """Forget a queue that is empty."""
    ordered_queues.remove(_tenant(), name)
    return wire.reply({"name": name})


def _changed(name: str) -> Response:
    phases.ring_delivery(phases.MOST_DELIVERY_BELLS)
    return _one(name)


def _one(name: str) -> Response:
    return wire.reply(_shown(ordered_queues.get(_tenant(), name)))


def _shown(depth: Depth) -> ShownQueue:
    return {
        "name": depth.queue.name,
        "parallelism": depth.queue.parallelism,
        "paused": depth.queue.paused,
        "open": depth.open,
        "queued": depth.queued,
        "createdAt": clock.to_wire(depth.queue.created_at),
    }


def _tenant() -> str:
    return authentication.caller().tenant
