"""Tells running tools that their run was cancelled: one query a second for all runs at work in this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from services import database, logs
from services.errors import Unavailable
from services.journal.runs import Run

EVERY_SECONDS = 0.5

log = logs.get(__name__)
_lock = threading.Lock()
_at_work: dict[str, set[threading.Event]] = {}


@contextmanager
def watched(run_id: str) -> Iterator[threading.Event]:
    """An event that is set when the run is cancelled, for as long as the block lasts."""
    cancelled = threading.Event()
    with _lock:
        _at_work.setdefault(run_id, set()).add(cancelled)
    try:
        yield cancelled
    finally:
        with _lock:
            mine = _at_work[run_id]
            mine.discard(cancelled)
            if not mine:
                del _at_work[run_id]


def start() -> None:
    """Begin to watch, in a thread of its own."""
    threading.Thread(target=_watch, name="cancellation", daemon=True).start()


def _watch() -> None:
    pause = threading.Event()
    while not pause.wait(EVERY_SECONDS):
        with _lock:
            run_ids = list(_at_work)
        if not run_ids:
            continue
        try:
            with database.session() as session:
                found = session.scalars(select(Run.id).where(Run.id.in_(run_ids), Run.cancel_requested)).all()
        except Unavailable as error:
            log.warning("Could not look for cancelled runs", error=error.detail)
            continue
        with _lock:
            for run_id in found:
                for cancelled in _at_work.get(str(run_id), ()):
                    cancelled.set()
