"""A whole running system for tests: every line of the Procfile as a real process, each of which can be killed."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from services.journal import workers

ROOT = Path(__file__).parent.parent
WORKERS = ("planning", "execution", "reflection", "scheduler")


class Stack:
    """The processes by kind. `url` is the gateway's address; `logs` holds each process's output."""

    def __init__(self, logs: Path, **environment: str) -> None:
        self.logs = logs
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = environment
        self._processes: dict[str, list[subprocess.Popen[bytes]]] = {}

    def start(self, kind: str, **environment: str) -> subprocess.Popen[bytes]:
        """One more process of that kind, by its Procfile line; `environment` is for this one alone."""
        env = {**_environment(), "PORT": str(self.port), **self._environment, **environment}
        number = len(self._processes.setdefault(kind, [])) + 1
        command = f"exec {_procfile()[kind].replace('@%h', f'{number}@%h')}"
        with (self.logs / f"{kind}.log").open("ab") as output:
            process = subprocess.Popen(command, shell=True, cwd=ROOT, env=env, stdout=output, stderr=output)
        self._processes[kind].append(process)
        return process

    def alive(self, kind: str) -> list[subprocess.Popen[bytes]]:
        """The processes of that kind that have not ended."""
        return [process for process in self._processes.get(kind, []) if process.poll() is None]

    def kill(self, kind: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to every process of that kind; after SIGKILL, wait until they are gone."""
        for process in self.alive(kind):
            process.send_signal(number)
            if number == signal.SIGKILL:
                process.wait()

    def ensure(self, *kinds: str) -> None:
        """At least one living, registered process of each kind."""
        for kind in kinds:
            if not self.alive(kind):
                self.start(kind)
        if "web" in kinds:
            self.wait_until_ready()
        else:
            self.wait_for_workers([kind for kind in kinds if kind in WORKERS])

    def wait_for_workers(self, kinds: list[str], timeout: float = 60) -> None:
        """Until each kind has a heartbeat of a process that lives now."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            registered = {(worker.kind, worker.pid) for worker in workers.alive()}
            if all(any((kind, process.pid) in registered for process in self.alive(kind)) for kind in kinds):
                return
            time.sleep(0.1)
        raise AssertionError(f"{kinds} did not come up:\n{self.output(kinds)}")

    def wait_until_ready(self, timeout: float = 60) -> None:
        """Until the gateway says that the system is ready."""
        until = time.monotonic() + timeout
        last = "no answer"
        while time.monotonic() < until:
            try:
                answer = httpx2.get(f"{self.url}/readyz", timeout=2)
                if answer.status_code == 200:
                    return
                last = answer.text
            except httpx2.HTTPError as error:
                last = str(error)
            time.sleep(0.1)
        raise AssertionError(f"The gateway is not ready: {last}\n{self.output(['web'])}")

    def output(self, kinds: list[str] | None = None) -> str:
        """What the processes have printed so far."""
        files = [self.logs / f"{kind}.log" for kind in kinds or self._processes]
        return "\n".join(f"--- {file.stem}\n{file.read_text()[-4000:]}" for file in files if file.exists())

    def stop(self) -> None:
        """SIGTERM to all, SIGKILL to what is left after ten seconds."""
        everything = [process for processes in self._processes.values() for process in processes]
        for process in everything:
            if process.poll() is None:
                process.terminate()
        until = time.monotonic() + 10
        for process in everything:
            try:
                process.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def running(logs: Path, *kinds: str, **environment: str) -> Iterator[Stack]:
    """A stack with one process of each kind, for the length of the block."""
    stack = Stack(logs, **environment)
    try:
        stack.ensure(*kinds)
        yield stack
    finally:
        stack.stop()


def run_once(kind: str, environment: dict[str, str]) -> None:
    """Run a Procfile line that ends by itself, such as `release`."""
    env = {**_environment(), **environment}
    subprocess.run(_procfile()[kind], shell=True, cwd=ROOT, env=env, check=True, capture_output=True)


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }


def _procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return dict(re.split(r":\s*", line, maxsplit=1) for line in lines if ":" in line)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
