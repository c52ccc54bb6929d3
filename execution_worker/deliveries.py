"""Delivering messages: claim one that is due, send it, record how that ended, and so on until none is due.

A bell (the task `execution_worker.deliver`) only says that something is due; the rows say what. Where the receiver says
when to try again (Retry-After), that is when.
"""

import threading

from execution_worker import turns
from services import failpoints, logs, settings
from services.delivery import messages, outgoing, retry_delays
from services.delivery.messages import Claim
from services.errors import Failed, Retryable
from services.failpoints import Failpoint
from services.network import retry_after, web
from services.network.web import Reply
from services.pipeline import flow_turns, heartbeat, phases, short_timers, waiting_senders, worker_process
from services.secrets import redaction

KEPT_OF_REPLY = 4_096
TAKEN_OF_REPLY = 200_000
# what will not be otherwise at the next attempt (RFC 9110 §15); 404 and its like may be, while a receiver is deployed
_NEVER = {400, 405, 406, 411, 413, 414, 415, 422, 431, 501, 505}

log = logs.get(__name__)
_slots = threading.BoundedSemaphore(settings.current().deliveries)
_mine: set[str] = set()
_changing = threading.Lock()


def deliver() -> None:
    """Send what is due until nothing is, or as many as may be are under way in this process already."""
    if not _slots.acquire(blocking=False):
        return
    try:
        while not worker_process.draining():
            claimed = _claim()
            if claimed is None:
                return
            try:
                with logs.bound(message=claimed.id, attempt=claimed.attempt):
                    _send(claimed)
            finally:
                with _changing:
                    _mine.discard(claimed.id)
    finally:
        _slots.release()


def _claim() -> Claim | None:
    per_host = max(settings.current().deliveries // 2, 1)
    with _changing:
        mine = list(_mine)
    found = messages.claim(heartbeat.worker_id(), limit=1, per_host=per_host, mine=mine)
    with _changing:
        _mine.update(each.id for each in found)
    return found[0] if found else None


def _send(claimed: Claim) -> None:
    failpoints.reached(Failpoint.MESSAGE_CLAIMED)
    end = redaction.clean(_attempted(claimed))
    failpoints.reached(Failpoint.MESSAGE_SENT)
    ended = messages.finish(claimed, end)
    failpoints.reached(Failpoint.MESSAGE_FINISHED)
    if ended["fenced"]:
        log.warning("A late delivery was refused", status=ended["status"])
        return
    if ended["status"] == "dead":
        log.warning("A message is given up", url=claimed.url, reason=end.get("reason"), error=end.get("detail"))
    if claimed.flow is not None:
        flow_turns.pass_on([claimed.flow])
    if ended["status"] == "waiting":
        short_timers.call_in(float(end["retry_in"]) + 0.01, phases.ring_delivery)
    elif claimed.effect is not None:
        waiting_senders.wake(claimed.effect)


def _attempted(claimed: Claim) -> dict[str, object]:
    """How the attempt ended, as finish_message takes it."""
    try:
        request = outgoing.sending(claimed)
        limits = web.Limits(seconds=claimed.timeout, wire_bytes=TAKEN_OF_REPLY, body_bytes=TAKEN_OF_REPLY)
        with turns.given_up():
            reply = web.send(request, limits=limits)
    except Failed as error:
        return {"outcome": "refused", "reason": error.kind, "detail": error.detail}
    except Retryable as error:
        return _again(claimed, error.detail, error.retry_after)
    except Exception as error:
        log.exception("Sending broke", url=claimed.url)
        return _again(claimed, f"Sending broke: {type(error).__name__}.", None)
    return {"status": reply.status, "reply": _beginning(reply)} | _judged(claimed, reply)


def _judged(claimed: Claim, reply: Reply) -> dict[str, object]:
    if 200 <= reply.status < 300:
        return {"outcome": "delivered"}
    if 300 <= reply.status < 400:
        where = reply.headers.get("location", "nowhere")[:500]
        detail = f"{claimed.host} answered {reply.status} and redirects to {where}; redirects are not followed."
        return {"outcome": "refused", "reason": "redirected", "detail": detail}
    detail = f"{claimed.host} answered {reply.status}."
    if reply.status == 410:
        return {"outcome": "refused", "reason": "gone", "detail": detail}
    if reply.status in _NEVER:
        return {"outcome": "refused", "reason": "refused", "detail": f"{detail} It would at every attempt."}
    return _again(claimed, detail, retry_after.seconds(reply.headers))


def _again(claimed: Claim, detail: str, asked: float | None) -> dict[str, object]:
    wait = asked if asked is not None else retry_delays.seconds(claimed.retry_delay, claimed.failures + 1)
    return {"outcome": "retry", "reason": "failed", "detail": detail, "retry_in": wait}


def _beginning(reply: Reply) -> str:
    return reply.body[:KEPT_OF_REPLY].decode(errors="replace").replace("\x00", "")
