"""Starts the processes of a stack, starts again what dies, and stops all of it without leaving an orphan."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.stack import lines
from gateway.stack.children import STOP_SECONDS, Child
from services import settings
from services.errors import Misconfigured

LONGEST_PAUSE = 30
STABLE_SECONDS = 60
HOPELESS_DEATHS = 3
SERVERS_SECONDS = 60


class Supervisor:
    """All children of one stack. Every method is called from the main thread (see Child.start)."""

    def __init__(self, say: Callable[[str, str], None], *, verbose: bool) -> None:
        self.home = settings.current().home.absolute()
        self.logs = self.home / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self._say = say
        self._verbose = verbose
        self._environment = lines.environment()
        self.flower_port = int(self._environment["FLOWER_PORT"])
        self._servers: Child | None = None
        self._children: list[Child] = []
        self._due: dict[str, float] = {}
        self._stopping = False

    def check(self) -> None:
        """Raise Misconfigured when the stack can't start as things are."""
        lines.check(lines.processes(), self._environment)

    def start_servers(self) -> None:
        """Start embedded Postgres and Redis unless both are set; returns when they answer."""
        current = settings.current()
        if current.database_url and current.redis_url:
            return
        addresses = self.home / settings.STACK_FILE
        addresses.unlink(missing_ok=True)  # left by a stack that was killed
        self._servers = self._child("servers", "python -m gateway.stack.embedded")
        self._start(self._servers)
        give_up = time.monotonic() + SERVERS_SECONDS
        while not addresses.exists():
            if not self._servers.running():
                raise Misconfigured(f"The embedded servers do not start: {self._last_words(self._servers)}")
            if time.monotonic() > give_up:
                raise Misconfigured(f"The embedded servers are not up after {SERVERS_SECONDS} s; see {self.logs}.")
            time.sleep(0.05)
        settings.current.cache_clear()

    def start_processes(self) -> None:
        """Start every line of the Procfile but `release`."""
        for name, command in lines.processes().items():
            child = self._child(name, command)
            self._children.append(child)
            self._start(child)

    def tend(self) -> None:
        """Start again what has died. Call it a few times a second. Raises Misconfigured when it is hopeless."""
        if self._servers and not self._servers.running():
            raise Misconfigured(f"The embedded servers have stopped: {self._last_words(self._servers)}")
        now = time.monotonic()
        for child in self._children:
            if child.running():
                continue
            if child.name not in self._due:
                self._note_death(child, now)
            elif now >= self._due[child.name]:
                del self._due[child.name]
                self._start(child)

    def hopeless(self) -> str | None:
        """The last words of a process that died again and again right after its start, if there is one."""
        for child in self._children:
            if child.deaths >= HOPELESS_DEATHS:
                return f"{child.name} keeps dying: {self._last_words(child)}"
        return None

    def hurry(self) -> None:
        """The second Ctrl-C: no more patience."""
        for child in self._all():
            child.stop(0)

    def stop(self) -> None:
        """Stop everything: the processes first, the servers that they use last."""
        self._stopping = True
        for child in self._children:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._children:
            child.stop(deadline)
        if self._servers:
            self._servers.ask_to_stop()
            self._servers.stop(time.monotonic() + STOP_SECONDS)

    def _all(self) -> list[Child]:
        return [*self._children, *([self._servers] if self._servers else [])]

    def _child(self, name: str, command: str) -> Child:
        return Child(name, command, self.logs / f"{name}.log", self._say, verbose=self._verbose)

    def _start(self, child: Child) -> None:
        child.start(lines.ROOT, self._environment)
        self._say(child.name, f"started (pid {child.pid})")

    def _note_death(self, child: Child, now: float) -> None:
        child.deaths = 1 if now - child.started > STABLE_SECONDS else child.deaths + 1
        pause = min(LONGEST_PAUSE, 2 ** (child.deaths - 1)) if child.deaths > 1 else 0.2
        self._due[child.name] = now + pause
        self._say(child.name, f"ended with exit code {child.exit_code()}; starts again in {pause:g} s")

    def _last_words(self, child: Child) -> str:
        words = next((line for line in reversed(child.last_lines) if line.strip()), "it said nothing")
        return f"{words.strip()} (more in {self.logs / child.name}.log)"


@contextmanager
def alone_in(home: Path) -> Iterator[None]:
    """Hold the home folder for the length of the block. Raises Misconfigured when another stack runs in it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "up.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Misconfigured(
                f"Another stack runs in {home}; stop it, or set PERDURE_HOME and PORT for a second one."
            ) from error
        yield
