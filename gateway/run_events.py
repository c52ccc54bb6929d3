"""GET /api/runs/{id}/events: the same events as the WebSocket's, as server-sent events or by long poll."""

from flask import Blueprint, Response, request

from gateway import authentication, queries
from gateway.streams import capacity, following, long_poll, sse
from services.journal import runs

LONGEST_WAIT = 25
LATEST_SEQ = 2_147_483_647

blueprint = Blueprint("run_events", __name__)


@blueprint.get("/api/runs/<run_id>/events")
def listed(run_id: str) -> Response:
    """Events after `after` (or Last-Event-ID). With `wait`, a poll waits that many seconds for the first."""
    queries.known_only("after", "wait")
    run = runs.get(authentication.caller().tenant, run_id)
    after = following.checked_after(run, _after())
    if request.accept_mimetypes.best_match(["application/json", "text/event-stream"]) == "text/event-stream":
        return _streamed(run, after)
    return _polled(run, after, queries.integer("wait", 0, least=0, most=LONGEST_WAIT))


def _after() -> int:
    last = request.headers.get("Last-Event-ID")
    if last and last.isascii() and last.isdigit() and len(last) < 10 and "after" not in request.args:
        return int(last)
    return queries.integer("after", 0, least=0, most=LATEST_SEQ)


def _streamed(run: runs.Run, after: int) -> Response:
    capacity.check()
    sse.never_block_for_ever(request.environ)
    made = Response(sse.lines(following.follow(run, after)), content_type="text/event-stream; charset=utf-8")
    made.headers["Cache-Control"] = "no-cache"
    made.headers["X-Accel-Buffering"] = "no"  # else nginx holds events back
    return made


def _polled(run: runs.Run, after: int, wait: int) -> Response:
    """`next` is what to ask after next time; null once the terminal event was among the items."""
    batch = long_poll.first_batch(lambda tick: following.follow(run, after, tick=tick), wait)
    following_seq = batch[-1].seq if batch else after
    over = (batch and batch[-1].terminal) or (not batch and run.status in runs.FINISHED)
    body = f'{{"items":[{",".join(frame.text or "" for frame in batch)}],"next":{"null" if over else following_seq}}}'
    return Response(body, content_type="application/json")
