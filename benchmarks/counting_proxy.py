"""A proxy that counts what passes between Perdure and a server: bytes each way and, for Postgres, round trips.

Slow on purpose (a thread a direction, in Python): what goes through it is counted, never timed.
"""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

READY_FOR_QUERY = ord("Z")  # how Postgres ends every answer (its manual, "Message Formats")


@dataclass
class Counted:
    """So far: bytes to and from the server, and its answers."""

    sent: int = 0
    received: int = 0
    answers: int = 0

    def since(self, before: "Counted") -> "Counted":
        """What came after `before`."""
        return Counted(self.sent - before.sent, self.received - before.received, self.answers - before.answers)

    def copy(self) -> "Counted":
        """As it is now."""
        return Counted(self.sent, self.received, self.answers)


@dataclass
class PostgresAnswers:
    """Finds the ends of answers in the stream from the server, wherever the stream is cut."""

    rest: bytes = b""
    skip: int = 0

    def count(self, data: bytes) -> int:
        """How many answers end in this piece."""
        found = 0
        if self.skip >= len(data):
            self.skip -= len(data)
            return 0
        data, self.skip = self.rest + data[self.skip :], 0
        at = 0
        while len(data) - at >= 5:
            found += data[at] == READY_FOR_QUERY
            at += 1 + int.from_bytes(data[at + 1 : at + 5])
        self.rest, self.skip = (data[at:], 0) if at < len(data) else (b"", at - len(data))
        return found


class Proxy:
    """Listens at `address` (a path or host and port) and connects each client to `server`."""

    def __init__(self, address: Path | tuple[str, int], server: Path | tuple[str, int], *, postgres: bool) -> None:
        self.counted = Counted()
        self._server, self._postgres = server, postgres
        self._lock = threading.Lock()
        self._listener = socket.socket(_family(address))
        self._listener.bind(str(address) if isinstance(address, Path) else address)
        if isinstance(address, Path):
            address.chmod(0o777)
        self._listener.listen(200)
        self.address = self._listener.getsockname()
        _in_thread(self._accept)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            server = socket.socket(_family(self._server))
            server.connect(str(self._server) if isinstance(self._server, Path) else self._server)
            answers = PostgresAnswers()

            def count_received(data: bytes, answers: PostgresAnswers = answers) -> None:
                with self._lock:
                    self.counted.received += len(data)
                    self.counted.answers += answers.count(data) if self._postgres else 0

            _in_thread(_pass_on, client, server, self._count_sent)
            _in_thread(_pass_on, server, client, count_received)

    def _count_sent(self, data: bytes) -> None:
        with self._lock:
            self.counted.sent += len(data)

    def close(self) -> None:
        """Take no more clients; those there are end with their processes."""
        self._listener.close()


def _pass_on(source: socket.socket, target: socket.socket, count: Callable[[bytes], None]) -> None:
    try:
        while data := source.recv(65_536):
            count(data)
            target.sendall(data)
    except OSError:
        pass  # the other side is gone
    finally:
        source.close()
        target.close()


def _family(address: Path | tuple[str, int]) -> socket.AddressFamily:
    return socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET


def _in_thread(function: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=function, args=arguments, daemon=True).start()
