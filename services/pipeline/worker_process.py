"""What every Celery worker process does besides its tasks: logs, heartbeat, and a drain that hands work back in time.

The pools are threads. Celery's remapped SIGTERM crashes those (celery#10490), so the drain is our own: after SIGTERM no
strand goes on and no step is claimed; what still runs after `drain_seconds` is handed back and the process ends.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_ready, worker_shutdown, worker_shutting_down
from celery.worker import state

from services import clock, connection_budget, logs, settings
from services.journal.workers import Vitals
from services.metrics import story, tally
from services.pipeline import heartbeat
from services.tracing import export

log = logs.get(__name__)
_draining = threading.Event()
_backlog: list[Callable[[], int]] = []


def counts_as_backlog(count: Callable[[], int]) -> None:
    """Add a count of messages that this process has taken and not begun: as long as there are any, none is missed."""
    _backlog.append(count)


def draining() -> bool:
    """Whether this process is on its way out: take nothing new, stop between two steps."""
    return _draining.is_set()


def prepare(app: Celery, kind: str) -> None:
    """Wire a worker's process life to its Celery app. Called once, where the app is made."""

    vitals = _Vitals()
    budget = connection_budget.check()

    def begin(sender: Any, **_: Any) -> None:
        vitals.slots = sender.concurrency or 0
        logs.configure(kind)
        heartbeat.shows(vitals.of_now)
        heartbeat.start(kind)
        story.begin()
        export.begin(kind)

    def ready(**_: Any) -> None:
        log.info("Worker is ready", worker=heartbeat.worker_id(), budget=str(budget))

    def drain(**_: Any) -> None:
        if not _draining.is_set():
            _draining.set()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough; a second one must not cut the drain short
            threading.Thread(target=_end_in_time, name="drain", daemon=True).start()

    def end(**_: Any) -> None:
        heartbeat.stop()
        tally.stop()

    worker_init.connect(begin, weak=False)
    worker_ready.connect(ready, weak=False)
    worker_shutting_down.connect(drain, weak=False)
    worker_shutdown.connect(end, weak=False)


def _end_in_time() -> None:
    time.sleep(settings.current().drain_seconds)
    log.warning("Still busy at the end of the drain; handing the rest back")
    heartbeat.stop()
    tally.stop()
    os._exit(0)


class _Vitals:
    """What a Celery worker says of itself. slots: how many tasks it works on at once."""

    def __init__(self) -> None:
        self.slots = 0
        self._begun = 0
        self._begun_at: float | None = None

    def of_now(self) -> Vitals:
        """Looked at with every heartbeat, so that counting costs the tasks nothing."""
        begun = state.all_total_count[0]
        if begun != self._begun:
            self._begun, self._begun_at = begun, clock.monotonic()
        busy = len(state.active_requests)
        taken = max(len(state.reserved_requests) - busy, 0)
        return Vitals(
            backlog=taken + sum(count() for count in _backlog),
            slots=self.slots,
            busy=busy,
            idle=None if self._begun_at is None else clock.monotonic() - self._begun_at,
        )
