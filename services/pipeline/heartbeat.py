"""The heartbeat of a process: one row renewed every two seconds holds all its leases; dead neighbours are reported.

Started by every worker and by the scheduler.
"""

import os
import socket
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import psutil

from services import logs, settings
from services.errors import Unavailable
from services.journal import event_feed
from services.journal import workers as journal_workers

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


def counts_as_backlog(count: Callable[[], int]) -> None:
    """Add a count of messages that this process has taken and not begun: as long as there are any, none is missed."""
    _backlog.append(count)


def start(kind: str) -> None:
    """Register this process as a worker of that kind and keep its heart beating until `stop`."""
    global _kind
    _kind = kind
    _beat()
    threading.Thread(target=_beat_on, name="heartbeat", daemon=True).start()


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
_backlog: list[Callable[[], int]] = []


def _beat_on() -> None:
    while not _stopped.wait(settings.current().heartbeat_seconds):
        try:
            _beat()
            report_dead_neighbours()
        except Exception as error:  # noqa: BLE001 (the heart must go on beating; Postgres may be back next time)
            log.warning("A heartbeat failed", error=str(error))


def _beat() -> None:
    global _workers
    backlog = sum(count() for count in _backlog)
    process = (host(), os.getpid(), _started(os.getpid()))
    _workers = max(journal_workers.beat(worker_id(), _kind, *process, backlog), 1)


def _lives(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@lru_cache(maxsize=8)
def _started(pid: int) -> float:
    return psutil.Process(pid).create_time()
