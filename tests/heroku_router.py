"""A router as Heroku's, on loopback and ten times as impatient: cuts what is silent, and answers that begin too late.

New connections go to the dynos that are up, in turn; open ones stay where they are.
"""

import itertools
import select
import socket
import threading
import time
from collections import Counter
from contextlib import suppress

FIRST_BYTE_SECONDS, SILENT_SECONDS = 3.0, 5.5  # Heroku's 30 and 55
BOOT_SECONDS = 75.0  # as Heroku's: a start takes its time here too


class Router:
    """`ports` are those of the web dynos that take requests; counts what it cut, and the most clients at once."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.cut: Counter[str] = Counter()
        self._turn = itertools.count()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            dyno = self._dyno()
            if dyno is None:
                self.cut["no dyno starts (H20)"] += 1
                with suppress(OSError):
                    client.sendall(
                        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    )
                return
            with dyno, suppress(OSError):
                self._pass_on(client, dyno)

    def _dyno(self) -> socket.socket | None:
        """A connection to one of them; waits for one that is still starting."""
        give_up = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < give_up:
            ports = list(self.ports)
            if ports:
                with suppress(OSError):
                    return socket.create_connection(("127.0.0.1", ports[next(self._turn) % len(ports)]), 1)
            time.sleep(0.1)
        return None

    def _pass_on(self, client: socket.socket, dyno: socket.socket) -> None:
        """Both ways until one end closes, nothing passes for too long, or a request gets no answer in time."""
        spoke, asked = time.monotonic(), None
        while True:
            now = time.monotonic()
            if now - spoke > SILENT_SECONDS:
                self.cut["silent (H15)"] += 1
                return
            if asked is not None and now - asked > FIRST_BYTE_SECONDS:
                self.cut["no first byte (H12)"] += 1
                return
            for end in select.select([client, dyno], [], [], 0.2)[0]:
                data = end.recv(65_536)
                if not data:
                    return
                spoke = time.monotonic()
                if end is client:
                    dyno.sendall(data)
                    asked = asked or (spoke if data[:4] in {b"GET ", b"POST"} else None)
                else:
                    client.sendall(data)
                    asked = None
