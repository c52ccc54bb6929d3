"""Dynos: each line of the Procfile under an environment like Heroku's, replaced as Heroku replaces them.

The successor starts first; the old one gets SIGTERM twice, and SIGKILL when it is not gone in time.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.heroku_router import Router
from tests.other_brokers import free_port

ROOT = Path(__file__).parent.parent
DEATH_SECONDS = 12.0  # Heroku's 30, for drains of 3
KINDS = ("web", "planning", "execution", "reflection", "scheduler")


@dataclass
class Dyno:
    """One process of a kind."""

    kind: str
    process: subprocess.Popen[bytes]
    port: int


@dataclass
class Formation:
    """What runs, and how those that were replaced have ended: `ends` counts exit codes, -9 where SIGKILL was needed."""

    environment: dict[str, str]
    logs: Path
    router: Router
    ends: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    _running: dict[str, Dyno] = field(default_factory=dict)
    _count: Counter[str] = field(default_factory=Counter)

    def release(self) -> str:
        """The release phase; what it printed."""
        command = f"exec {procfile()['release']}"
        done = subprocess.run(
            command, shell=True, cwd=ROOT, env=self._environment("release"), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        return done.stdout.decode()

    def start(self, kind: str) -> Dyno:
        """One dyno of that kind, beside the one that may be there."""
        port = free_port()
        command = f"exec {procfile()[kind].replace('@%h', f'{self._count[kind]}@%h')}"
        with (self.logs / f"{kind}.log").open("ab") as output:
            environment = {**self._environment(kind), "PORT": str(port)}
            process = subprocess.Popen(command, shell=True, cwd=ROOT, env=environment, stdout=output, stderr=output)
        self._running[kind] = Dyno(kind, process, port)
        if kind == "web":
            self.router.ports.append(port)
        return self._running[kind]

    def replace(self, kind: str) -> None:
        """A new dyno for an old one."""
        old = self._running[kind]
        self.start(kind)
        if old.port in self.router.ports and kind == "web":
            self.router.ports.remove(old.port)
        self._end(old)

    def stop(self) -> None:
        """End all of them."""
        for dyno in self._running.values():
            dyno.process.send_signal(signal.SIGTERM)
        for dyno in self._running.values():
            self._wait(dyno)

    def _end(self, dyno: Dyno) -> None:
        began = time.monotonic()
        dyno.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        if dyno.process.poll() is None:
            dyno.process.send_signal(signal.SIGTERM)
        self._wait(dyno)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.ends[f"{dyno.kind}: exit code {dyno.process.returncode}"] += 1

    @staticmethod
    def _wait(dyno: Dyno) -> None:
        try:
            dyno.process.wait(DEATH_SECONDS)
        except subprocess.TimeoutExpired:
            dyno.process.kill()
            dyno.process.wait()

    def _environment(self, kind: str) -> dict[str, str]:
        self._count[kind] += 1
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {
            **kept,
            "PATH": path,
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "DYNO": f"{kind}.{self._count[kind]}",
            **self.environment,
        }


def procfile() -> dict[str, str]:
    """Name → command of every line."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return dict(re.split(r":\s*", line, maxsplit=1) for line in lines if ":" in line)
