"""GET /api/runs/{id}/events: the same events as the WebSocket's, as server-sent events or by long poll."""

from typing import Annotated

from flask import Blueprint, Response, request
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, declare, queries
from gateway.fields import DIGITS
from gateway.run_parts import ShownEvent
from gateway.streams import capacity, following, long_poll, modes, sse, standing
from gateway.streams.modes import Modes
from services.journal import runs

LONGEST_WAIT = 25
LATEST_SEQ = 2_147_483_647

blueprint = Blueprint("run_events", __name__)


class Wanted(queries.Query):
    """Which events, and how long a poll waits for the first."""

    after: Annotated[int, Field(ge=0, le=LATEST_SEQ, description="The last number that you have."), DIGITS] = 0
    modes: Modes = Field(default_factory=list)
    wait: Annotated[
        int, Field(ge=0, le=LONGEST_WAIT, description="Seconds that a poll waits for an event."), DIGITS
    ] = 0


class Events(TypedDict):
    """The next events. next: the `after` to go on with; null once the run's last event was told."""

    items: list[ShownEvent]
    next: int | None


@blueprint.get("/api/runs/<run_id>/events")
@declare.operation(query=Wanted, gives=Events, streams=True)
def listed(run_id: str) -> Response:
    """Events after `after` (or Last-Event-ID). As server-sent events where the client accepts those, else a poll."""
    asked = queries.read(Wanted)
    run = runs.get(authentication.caller().tenant, run_id)
    after = following.checked_after(run, _last_event_id() if "after" not in request.args else asked.after)
    if request.accept_mimetypes.best_match(["application/json", "text/event-stream"]) == "text/event-stream":
        return _streamed(run, after, asked)
    return _polled(run, after, asked)


def _last_event_id() -> int:
    """What a browser's EventSource says it has, when it connects again."""
    last = request.headers.get("Last-Event-ID", "")
    return int(last) if last.isascii() and last.isdigit() and len(last) < 10 else 0


def _streamed(run: runs.Run, after: int, asked: Wanted) -> Response:
    capacity.check()
    sse.never_block_for_ever(request.environ)
    lives = authentication.still_lives()
    batches = standing.while_known(following.follow(run, after, tick=standing.tick(lives)), lives)
    lines = sse.lines(batches, modes.names(asked.modes))
    made = Response(lines, content_type="text/event-stream; charset=utf-8")
    made.headers["Cache-Control"] = "no-cache"
    made.headers["X-Accel-Buffering"] = "no"  # else nginx holds events back
    return made


def _polled(run: runs.Run, after: int, asked: Wanted) -> Response:
    """`next` is what to ask after next time; null once the terminal event was among the items."""
    batch, seen = long_poll.first_batch(
        lambda tick: following.follow(run, after, tick=tick), asked.wait, modes.names(asked.modes)
    )
    over = (batch and batch[-1].terminal) or (not batch and run.status in runs.FINISHED)
    items = ",".join(frame.text or "" for frame in batch)
    body = f'{{"items":[{items}],"next":{"null" if over else max(seen, after)}}}'
    return Response(body, content_type="application/json")
