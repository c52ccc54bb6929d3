"""One child process: in a group of its own, told to end when we die, its output in a log file."""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

STOP_SECONDS = 25
PR_SET_PDEATHSIG = 1  # prctl(2), Linux
# a level as structlog, Celery, gunicorn and Python write it
NOTEWORTHY = re.compile(
    r"\[\s*(warning|error|critical)\b|\b(WARNING|ERROR|CRITICAL)\b|Traceback|^\w*(Error|Exception):"
)

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """A command that is kept running. `say` gets each line worth showing; all lines go to `log`."""

    def __init__(self, name: str, command: str, log: Path, say: Callable[[str, str], None], *, verbose: bool) -> None:
        self.name = name
        self.last_lines: deque[str] = deque(maxlen=8)
        self.started = 0.0
        self.deaths = 0
        self._command = command
        self._log = log
        self._say = say
        self._verbose = verbose
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def start(self, directory: Path, environment: dict[str, str]) -> None:
        """Start the command. Call it from the main thread: Linux ends a child when the thread that started it ends."""
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {self._command}"],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 (one system call, no lock)
        )
        self.started = time.monotonic()
        self._reader = threading.Thread(target=self._read, daemon=True, name=f"{self.name}-output")
        self._reader.start()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self.running() and self._process else None

    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll() if self._process else None

    def ask_to_stop(self) -> None:
        """SIGTERM to the process itself; it ends its own children."""
        if self.running() and self._process:
            self._process.terminate()

    def stop(self, deadline: float) -> None:
        """Wait until `deadline` (monotonic), then kill; in the end nothing of its group lives."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._reader:
            self._reader.join(2)

    def _read(self) -> None:
        assert self._process and self._process.stdout
        with self._log.open("a", buffering=1) as log:
            for line in self._process.stdout:
                log.write(line)
                self.last_lines.append(line.rstrip())
                if self._verbose or NOTEWORTHY.search(line):
                    self._say(self.name, line.rstrip())


def _end_with_parent() -> None:
    """In the child, before exec: have the kernel send SIGTERM when the parent dies, however it dies."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
