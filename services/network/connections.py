"""Guarded connections: a name is resolved once, every address of it is checked, and the vetted address is connected to.

So a name that resolves differently a moment later (DNS rebinding) gains nothing. TLS still verifies the host's name.
"""

import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any

import httpcore2

from services import clock
from services.network import addresses
from services.network.addresses import Address
from services.network.allow_list import AllowList
from services.network.refusals import AddressRefused, HostUnknown, NoReply, UrlRefused

WEB_PORTS = frozenset({80, 443})

Resolver = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of `host` as the system knows them, as texts. Raises socket.gaierror."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens connections for one fetch; everything on them ends at `deadline` (on the monotonic clock, in seconds)."""

    def __init__(self, allowed: AllowList, deadline: float, resolver: Resolver) -> None:
        self._allowed = allowed
        self._deadline = deadline
        self._resolver = resolver
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first vetted address of `host` that answers."""
        trouble: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in vet(host, port, self._addresses(host, port), self._allowed):
            left = _left(self._deadline, timeout, httpcore2.ConnectTimeout)
            try:
                stream = self._plain.connect_tcp(str(address), port, left, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                trouble = error
            else:
                return _TimedStream(stream, self._deadline)
        raise trouble

    def _addresses(self, host: str, port: int) -> list[str]:
        """Resolve in a thread of its own: the system's resolver takes no timeout."""
        answer: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answer.put(self._resolver(host, port))
            except (OSError, UnicodeError) as error:
                answer.put(error)

        threading.Thread(target=ask, daemon=True, name="resolve").start()
        try:
            found = answer.get(timeout=_left(self._deadline, None, httpcore2.ConnectTimeout))
        except queue.Empty as error:
            raise NoReply(f"The name {host} was not resolved in time.") from error
        if isinstance(found, list):
            return found
        if isinstance(found, socket.gaierror) and found.errno == socket.EAI_AGAIN:
            raise NoReply(f"The name {host} can't be resolved at the moment.") from found
        raise HostUnknown(f"There is no host {host}.") from found


def vet(host: str, port: int, found: list[str], allowed: AllowList) -> list[Address]:
    """`found` as addresses, when all of them may be connected to on this port.

    Raises AddressRefused (one bad address is enough: which one gets used is the other side's choice) or UrlRefused.
    """
    parsed = [addresses.parse(text) for text in found]
    if allowed.admits_name(host, port):
        return parsed
    for address in parsed:
        if allowed.admits_address(address, port):
            continue
        kind = addresses.denied(address)
        if kind:
            raise AddressRefused(
                f"{host} is at {kind} address, which tools may not reach; "
                f"if it should be reached, add {host} to PERDURE_ALLOW_HOSTS."
            )
        if port not in WEB_PORTS:
            raise UrlRefused(
                f"Port {port} of {host} may not be reached, only 80 and 443; "
                f"if it should be, add {host}:{port} to PERDURE_ALLOW_HOSTS."
            )
    return parsed


class _TimedStream(httpcore2.NetworkStream):
    """A stream whose every read and write ends at the deadline, so that a slow drip of bytes can't outlast it."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(self._deadline, timeout, httpcore2.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None, problem: type[Exception]) -> float:
    left = deadline - clock.monotonic()
    if left <= 0:
        raise problem("the time for this fetch is over")
    return left if timeout is None else min(left, timeout)
