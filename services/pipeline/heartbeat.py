"""The heartbeat of a process: one row renewed every two seconds holds all its leases; dead neighbours are reported.

Started by every worker and by the scheduler. A process in which no Python runs any more (a call in C that keeps the
interpreter for itself) can't beat, and ends itself.
"""

import faulthandler
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import psutil

from services import clock, logs, settings, troubles
from services.errors import PerdureError, Unavailable
from services.journal import event_feed, reports
from services.journal import workers as journal_workers
from services.journal.workers import Vitals

log = logs.get(__name__)

_kind = "process"
_workers = 1


def worker_id() -> str:
    """This process's name in the journal: kind@host:pid:start time, unique over restarts."""
    return f"{_kind}@{host()}:{os.getpid()}:{_started(os.getpid()):.2f}"


def workers() -> int:
    """How many workers of this kind live, this one counted in, as of the last heartbeat."""
    return _workers


@lru_cache(maxsize=1)
def host() -> str:
    """This machine as pids see it: the host's name and the pid namespace (two containers may share a name)."""
    try:
        namespace = (Path("/proc/self/ns/pid").readlink()).name.strip("pid:[]")
    except OSError:
        namespace = "0"
    return f"{socket.gethostname()}/{namespace}"


def shows(vitals: Callable[[], Vitals]) -> None:
    """What this process says of itself with every beat; asked once a beat."""
    global _vitals
    _vitals = vitals


def start(kind: str) -> None:
    """Register this process as a worker of that kind and keep its heart beating until `stop`."""
    global _kind
    _kind = kind
    _beat()
    threading.Thread(target=_beat_on, name="heartbeat", daemon=True).start()
    threading.Thread(target=_stay_awake, name="wakefulness", daemon=True).start()


def stop() -> None:
    """Say goodbye: whatever this process still owned goes back at once, and counts as no failure."""
    _stopped.set()
    try:
        event_feed.publish(journal_workers.release(worker_id(), "handed_back"))
    except Unavailable as error:
        log.warning("Could not hand back the leases; they will expire", error=str(error))


def report_dead_neighbours() -> None:
    """Release what processes of this host owned that no longer live, without waiting for their leases to run out."""
    for worker in journal_workers.alive(host()):
        if not _lives(worker.pid, worker.process_started):
            log.warning("A worker died; its work is given back", worker=worker.id)
            event_feed.publish(journal_workers.release(worker.id, "lost"))


_stopped = threading.Event()
_vitals: Callable[[], Vitals] = Vitals
_clock_ahead = 0.0
_told = False


def _beat_on() -> None:
    while not _stopped.wait(settings.current().heartbeat_seconds):
        found = troubles.present()
        try:
            _beat()
            report_dead_neighbours()
        except PerdureError as error:
            found = {"postgres": error.detail, **found}
            log.warning("A heartbeat failed", error=error.detail)
        except Exception as error:  # noqa: BLE001 (the heart must go on beating; Postgres may be back next time)
            log.warning("A heartbeat failed", error=str(error))
        _tell(found)


def _tell(found: dict[str, str]) -> None:
    global _told
    if found or _told:
        reports.tell(worker_id(), found)
    _told = bool(found)


def _beat() -> None:
    global _clock_ahead, _workers
    vitals = replace(_vitals(), clock_ahead=_clock_ahead)
    asked = clock.monotonic()
    process = (host(), os.getpid(), _started(os.getpid()))
    at, alive = journal_workers.beat(worker_id(), _kind, *process, vitals)
    _workers = max(alive, 1)
    _clock_ahead = clock.follow(at, asked=asked, answered=clock.monotonic())


def _stay_awake() -> None:
    """Put off this process's end, again and again: when no thread of it gets to run, nobody does, and it comes.

    Its leases have run out by then and its work is done elsewhere. The timer is a thread that needs no interpreter; it
    prints where every thread stands.
    """
    longest = 3 * settings.current().lease_seconds
    over = False
    while not over:
        faulthandler.dump_traceback_later(longest, exit=True)
        over = _stopped.wait(min(longest / 4, 1))
    faulthandler.cancel_dump_traceback_later()


def _lives(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@lru_cache(maxsize=8)
def _started(pid: int) -> float:
    return psutil.Process(pid).create_time()
