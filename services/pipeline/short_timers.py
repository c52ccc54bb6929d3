"""Rings steps whose wait or backoff is over within seconds, from the process that put them to sleep.

Only a convenience: the due time is a row, and the sweeper rings whatever this process did not live to ring.
"""

import heapq
import threading
import time

from services import database, failpoints, logs
from services.errors import Unavailable
from services.failpoints import Failpoint
from services.pipeline import phases

LONGEST = 5.0

log = logs.get(__name__)
_due: list[tuple[float, str, str]] = []
_changed = threading.Condition()
_thread: threading.Thread | None = None


def ring_in(seconds: float, run_id: str, step_id: str) -> None:
    """Ring the step after `seconds`; longer waits than LONGEST are left to the sweeper."""
    global _thread
    if seconds > LONGEST:
        return
    with _changed:
        heapq.heappush(_due, (time.monotonic() + seconds, run_id, step_id))
        if _thread is None:
            _thread = threading.Thread(target=_ring_on, name="short timers", daemon=True)
            _thread.start()
        _changed.notify()


def _ring_on() -> None:
    while True:
        run_id, step_id = _next()
        try:
            if database.call("wake_step", run_id, step_id):
                failpoints.reached(Failpoint.TIMER_WOKEN)
                phases.grow_execution(run_id, [step_id])
        except Unavailable as error:
            log.warning(
                "A short timer could not ring; the sweeper will", run_id=run_id, step=step_id, error=error.detail
            )


def _next() -> tuple[str, str]:
    """The next step whose time has come; waits for it."""
    with _changed:
        while not _due or _due[0][0] > time.monotonic():
            _changed.wait(max(_due[0][0] - time.monotonic(), 0) if _due else None)
        _, run_id, step_id = heapq.heappop(_due)
        return run_id, step_id
