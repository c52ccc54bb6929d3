"""What every Celery worker process does besides its tasks: logs, heartbeat, and a drain that hands work back in time.

The pools are threads. Celery's remapped SIGTERM crashes those (celery#10490), so the drain is our own: after SIGTERM no
strand goes on and no step is claimed; what still runs after `drain_seconds` is handed back and the process ends.
"""

import os
import threading
import time
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_ready, worker_shutdown, worker_shutting_down
from celery.worker import state

from services import logs, settings
from services.pipeline import heartbeat

log = logs.get(__name__)
_draining = threading.Event()


def draining() -> bool:
    """Whether this process is on its way out: take nothing new, stop between two steps."""
    return _draining.is_set()


def prepare(app: Celery, kind: str) -> None:
    """Wire a worker's process life to its Celery app. Called once, where the app is made."""

    def begin(**_: Any) -> None:
        logs.configure(kind)
        heartbeat.counts_as_backlog(_taken_not_begun)
        heartbeat.start(kind)

    def ready(**_: Any) -> None:
        log.info("Worker is ready", worker=heartbeat.worker_id())

    def drain(**_: Any) -> None:
        if not _draining.is_set():
            _draining.set()
            threading.Thread(target=_end_in_time, name="drain", daemon=True).start()

    def end(**_: Any) -> None:
        heartbeat.stop()

    worker_init.connect(begin, weak=False)
    worker_ready.connect(ready, weak=False)
    worker_shutting_down.connect(drain, weak=False)
    worker_shutdown.connect(end, weak=False)


def _taken_not_begun() -> int:
    return max(len(state.reserved_requests) - len(state.active_requests), 0)


def _end_in_time() -> None:
    time.sleep(settings.current().drain_seconds)
    log.warning("Still busy at the end of the drain; handing the rest back")
    heartbeat.stop()
    os._exit(0)
