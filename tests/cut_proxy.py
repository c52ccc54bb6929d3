"""A TCP proxy on loopback whose connections a test can cut, reset, half-close or delay, or whose replies get lost."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

Target = tuple[str, int] | Path


class CutProxy:
    """Forwards to `target`, a (host, port) or a Unix socket. New connections work again at once, unless `refusing`.

    delay: seconds that every piece of data is held up. refusing: new connections are closed as soon as they are open.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._near: set[socket.socket] = set()
        self._resetting: set[socket.socket] = set()
        self._losing: bytes | None = None
        self._doomed: dict[socket.socket, bytes] = {}
        self._lost: list[bytes] = []
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.delay = 0.0
        self.refusing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection that is open now."""
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Break them with a TCP reset, as a router does that has forgotten them."""
        for end in list(self._open):
            self._resetting.add(end)
            with contextlib.suppress(OSError):  # closing with a linger of no time sends RST
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RD)

    def half_close(self) -> None:
        """Tell the clients that nothing more will come, of which the server hears nothing."""
        for end in list(self._near):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_WR)

    def lose_reply_to(self, asked: bytes) -> None:
        """Let through the next request that has these bytes in it, and reset the connection in place of its reply."""
        self._losing = asked

    def replies_lost(self, asked: bytes) -> bool:
        """Whether the reply to such a request has been lost by now."""
        return asked in self._lost

    def close(self) -> None:
        """Stop listening and break what is open."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        far = None
        with contextlib.suppress(OSError):
            far = None if self.refusing else _connected(self._target)
        if far is None:
            near.close()
            return
        self._near.add(near)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._forward, args=(source, sink, source is near), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, asking: bool) -> None:
        self._open.add(source)
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if asking and self._losing is not None and self._losing in data:
                    self._doomed[sink], self._losing = self._losing, None
                elif source in self._doomed:
                    self._lost.append(self._doomed.pop(source))
                    break
                if self.delay:
                    time.sleep(self.delay)
                sink.sendall(data)
        self._open.discard(source)
        self._near.discard(source)
        if source in self._resetting:
            self._resetting.discard(source)
            source.close()
            return
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _connected(target: Target) -> socket.socket:
    if isinstance(target, Path):
        far = socket.socket(socket.AF_UNIX)
        far.connect(str(target))
        return far
    return socket.create_connection(target)


@contextlib.contextmanager
def in_front_of(url: str) -> Iterator[CutProxy]:
    """A proxy in front of the server at `url`, for the length of the block."""
    proxy = CutProxy(target_of(url))
    try:
        yield proxy
    finally:
        proxy.close()


def target_of(url: str) -> Target:
    """Where the server at `url` listens; postgresql://…?host=/folder is a Unix socket in that folder."""
    parts = urlsplit(url)
    folder = parse_qs(parts.query).get("host", [""])[0]
    if folder.startswith("/"):
        return Path(folder) / f".s.PGSQL.{parts.port or 5432}"
    return (parts.hostname or "127.0.0.1", parts.port or 80)


def through(proxy: CutProxy, url: str) -> str:
    """The same URL by way of the proxy."""
    parts = urlsplit(url)
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return f"{parts.scheme}://{user}127.0.0.1:{proxy.port}{parts.path}"
