"""Whom Perdure is measured against: one file a peer, all driven by `benchmarks.measure` through the same few calls.

Each peer's file holds both sides: `Peer`, the client that the measuring process drives, and the worker that it starts
(`python -m benchmarks.peers.<name>`). The peers live in a virtual environment of their own, so these files, and what
they import of `benchmarks`, need nothing else of the project.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).parent.parent.parent
# in the order of the table; the module of the same name has the class
NAMES = ("floor", "floor_journal", "perdure", "restate", "absurd", "absurd_defaults", "langgraph", "dbos", "celery")


class NotHere(Exception):
    """This peer can't be measured on this machine, with the reason; it is reported, never left out silently."""


@dataclass(frozen=True)
class Place:
    """Where everything is: a folder for data and logs, the two servers, and the programs of the peers."""

    home: Path
    database_url: str
    redis_url: str
    programs: Path


@dataclass
class Processes:
    """The worker processes of a peer, each of which can be killed."""

    home: Path
    running: list[subprocess.Popen[Any]] = field(default_factory=list)

    def start(self, *command: str, **options: Any) -> subprocess.Popen[Any]:
        """One more, from the root of the project; its output goes to `workers.log`."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", **options.pop("env", {})}
        with (self.home / "workers.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, **{"stdout": log, "stderr": log, **options})
        self.running.append(process)
        return process

    def alive(self) -> list[subprocess.Popen[Any]]:
        """Those that have not ended."""
        return [process for process in self.running if process.poll() is None]

    def stop(self) -> None:
        """SIGKILL: nothing of a measurement is worth a drain."""
        for process in self.alive():
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.running.clear()


class Peer(Protocol):
    """What the measurements need of a peer. A handle is whatever `submit` gives and `finished` understands."""

    title: str
    # the set-up in one line, for the report
    setup: str
    # whose versions to report
    packages: tuple[str, ...]
    # with how many worker processes throughput is measured (the best counts), and among how many one is killed
    worker_counts: tuple[int, ...]
    workers_at_kill: int
    # seconds after a worker's death in which it may go on by itself
    patience: float

    def __init__(self, place: Place) -> None: ...

    def start(self, workers: int) -> None:
        """Start servers and that many worker processes; returns when the first run could start at once."""

    def submit(self, workload: str, run: str) -> Any:
        """Start a run of that workload, as a client would; returns when it is accepted."""

    def wait(self, handle: Any, timeout: float) -> None:
        """Until that run has succeeded. Raises TimeoutError, or RuntimeError if it has failed."""

    def revive(self, handle: Any) -> None:
        """What a person would do for the run of a dead worker, where nothing does so by itself."""

    def stop(self) -> None:
        """End every process that `start` or `revive` began."""


def until(finished: Callable[[], bool], timeout: float) -> None:
    """Look every 2 ms, after half a second every 20 ms, until it is so. Raises TimeoutError."""
    begun = time.monotonic()
    while not finished():
        waited = time.monotonic() - begun
        if waited > timeout:
            raise TimeoutError(f"not finished after {timeout:.0f} s")
        time.sleep(0.002 if waited < 0.5 else 0.02)
