"""Worker processes for peers that are libraries inside a process: runs come in on stdin, their ends go out on stdout.

The cheapest door there is, so that such a peer is measured by its engine alone.
"""

import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any

from benchmarks.peers import NotHere, Place, Processes

THREADS = 100
READY = "ready"


def serve(execute: Callable[[str, str, bool], None], threads: int = THREADS) -> None:
    """The worker's side. execute(workload, run, again) returns when the run has succeeded; again: after a death."""
    out, lock = os.fdopen(os.dup(1), "w"), threading.Lock()
    os.dup2(2, 1)  # whatever a library prints is no answer

    def answer(line: str) -> None:
        with lock:
            out.write(line + "\n")
            out.flush()

    def run_one(order: dict[str, Any]) -> None:
        try:
            execute(order["workload"], order["run"], order["again"])
            answer(f"done {order['run']}")
        except Exception:  # noqa: BLE001 (the edge of the process)
            traceback.print_exc()
            answer(f"failed {order['run']}")

    answer(READY)
    with ThreadPoolExecutor(threads) as pool:
        for line in sys.stdin:
            pool.submit(run_one, json.loads(line))


class PipedPeer:
    """The client's side: runs go to the workers in turn."""

    worker_counts, workers_at_kill, patience = (1, 2), 2, 15.0
    module = ""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.processes = Processes(place.home)
        self._ended: dict[str, str] = {}
        self._news = threading.Condition()
        self._workers: list[subprocess.Popen[str]] = []
        self._sent: dict[str, str] = {}

    def prepare(self) -> None:
        """Make the tables."""

    def start(self, workers: int) -> None:
        """See Peer."""
        self.prepare()
        for number in range(workers):
            self._start_one(number)
        self._turn = cycle(range(workers))

    def _start_one(self, number: int) -> subprocess.Popen[str]:
        worker = self.processes.start(
            sys.executable,
            "-m",
            self.module,
            self.place.database_url,
            str(number),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert worker.stdout
        if worker.stdout.readline().strip() != READY:
            raise NotHere(f"its worker does not start; see {self.place.home}/workers.log")
        threading.Thread(target=self._listen, args=[worker], daemon=True).start()
        self._workers[number : number + 1] = [worker]
        return worker

    def _listen(self, worker: subprocess.Popen[str]) -> None:
        assert worker.stdout
        for line in worker.stdout:
            how, run = line.split()
            with self._news:
                self._ended[run] = how
                self._news.notify_all()

    def submit(self, workload: str, run: str) -> str:
        """See Peer."""
        self._sent[run] = workload
        self._send(self._workers[next(self._turn)], run, again=False)
        return run

    def _send(self, worker: subprocess.Popen[str], run: str, *, again: bool) -> None:
        assert worker.stdin
        worker.stdin.write(json.dumps({"workload": self._sent[run], "run": run, "again": again}) + "\n")
        worker.stdin.flush()

    def wait(self, handle: str, timeout: float) -> None:
        """See Peer."""
        with self._news:
            if not self._news.wait_for(lambda: handle in self._ended, timeout):
                raise TimeoutError(f"not finished after {timeout:.0f} s")
        if self._ended[handle] == "failed":
            raise RuntimeError(f"{handle} failed; see {self.place.home}/workers.log")

    def revive(self, handle: str) -> None:
        """A new process in the place of each dead one, told of the run."""
        for number, worker in enumerate(self._workers):
            if worker.poll() is not None:
                self._send(self._start_one(number), handle, again=True)

    def stop(self) -> None:
        """See Peer."""
        self.processes.stop()
        self._workers.clear()
