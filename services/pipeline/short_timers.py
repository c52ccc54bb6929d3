"""Rings what is due within seconds (a step's wait or backoff, a message's next attempt), from the process that knows.

Only a convenience: the due time is a row, and the sweeper rings whatever this process did not live to ring.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from functools import partial

from services import database, failpoints, logs
from services.errors import Unavailable
from services.failpoints import Failpoint
from services.pipeline import phases

LONGEST = 5.0

log = logs.get(__name__)
_due: list[tuple[float, int, Callable[[], None]]] = []
_numbers = itertools.count()
_changed = threading.Condition()
_thread: threading.Thread | None = None


def ring_in(seconds: float, run_id: str, step_id: str) -> None:
    """Ring the step after `seconds`; longer waits than LONGEST are left to the sweeper."""
    call_in(seconds, partial(_ring_step, run_id, step_id))


def call_in(seconds: float, ring: Callable[[], None]) -> None:
    """The same for anything else that is to be rung."""
    global _thread
    if seconds > LONGEST:
        return
    with _changed:
        heapq.heappush(_due, (time.monotonic() + seconds, next(_numbers), ring))
        if _thread is None:
            _thread = threading.Thread(target=_ring_on, name="short timers", daemon=True)
            _thread.start()
        _changed.notify()


def _ring_step(run_id: str, step_id: str) -> None:
    if database.call("wake_step", run_id, step_id):
        failpoints.reached(Failpoint.TIMER_WOKEN)
        phases.grow_execution(run_id, [step_id])


def _ring_on() -> None:
    while True:
        ring = _next()
        try:
            ring()
        except Unavailable as error:
            log.warning("A short timer could not ring; the sweeper will", error=error.detail)


def _next() -> Callable[[], None]:
    """What to do next, when its time has come; waits for it."""
    with _changed:
        while not _due or _due[0][0] > time.monotonic():
            _changed.wait(max(_due[0][0] - time.monotonic(), 0) if _due else None)
        return heapq.heappop(_due)[2]
