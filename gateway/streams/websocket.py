"""A run's events over a WebSocket: one text frame an event; closes with 1000 after the last one.

A client may send commands; what answers them goes out between the events. 4401: your key was revoked, or you signed
out. 4408: you read too slowly. 1012: this process is going away. 1013: no place, or no journal, just now. 1008: too
many commands. The reason says what to resume with.
"""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simple_websocket import ConnectionClosed, Server
from wsproto.events import Ping, TextMessage
from wsproto.utilities import LocalProtocolError

from gateway.streams import modes
from gateway.streams.following import Draining, Interrupted, SlowReader
from gateway.streams.frames import Frame
from gateway.streams.standing import Revoked

DONE, GOING_AWAY, TRY_LATER, NO_LONGER_KNOWN, TOO_SLOW = 1000, 1012, 1013, 4401, 4408
PING_SECONDS = 25
STUCK_SECONDS = 10


MOST_COMMANDS = 100
TOO_MANY = 1008


class Bell(threading.Event):
    """What the socket's reading thread sets when something has come in. heard: called then."""

    heard: Callable[[], None] | None = None

    def set(self) -> None:
        super().set()
        if self.heard is not None:
            self.heard()


@dataclass(frozen=True)
class Talk:
    """wanted: the names of the events that are shown, None for all. answer: does a command, gives the frame to send."""

    wanted: frozenset[str] | None
    answer: Callable[[str | bytes], str]


def serve(client: Server, batches: Iterator[list[Frame]], talk: Talk) -> None:
    """Send all batches, pinging while nothing happens; returns when the client is gone or everything was said."""
    _never_block_for_ever(client.sock)
    try:
        _send_all(client, batches, talk)
        _close(client, DONE, "the run has ended")
    except Revoked:
        _close(client, NO_LONGER_KNOWN, "the key was revoked or has expired")
    except SlowReader as cut:
        _close(client, TOO_SLOW, str(cut))
    except Draining as cut:
        _close(client, GOING_AWAY, str(cut))
    except Interrupted as cut:
        _close(client, TRY_LATER, str(cut))
    except (OSError, ConnectionClosed, LocalProtocolError):
        client.connected = False  # gone, or stuck for so long that nothing more can be said


def _send_all(client: Server, batches: Iterator[list[Frame]], talk: Talk) -> None:
    pinged = time.monotonic()
    for batch in batches:
        if not client.connected:
            raise ConnectionClosed
        _answer_all(client, talk)
        for frame in modes.passing(batch, talk.wanted):
            _send(client, client.ws.send(TextMessage(data=frame.text or "")))
        if time.monotonic() - pinged >= PING_SECONDS:
            pinged = time.monotonic()
            _send(client, client.ws.send(Ping()))


def _answer_all(client: Server, talk: Talk) -> None:
    if len(client.input_buffer) > MOST_COMMANDS:
        _close(client, TOO_MANY, "too many commands at once")
        raise ConnectionClosed
    while client.input_buffer:
        _send(client, client.ws.send(TextMessage(data=talk.answer(client.input_buffer.pop(0)))))


def _never_block_for_ever(connection: socket.socket) -> None:
    """A send to a client that reads nothing gives up after STUCK_SECONDS; reading (another thread's work) may wait."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STUCK_SECONDS, 0))


def _send(client: Server, data: bytes) -> None:
    """All of `data`: simple_websocket's own `send` drops what a full socket does not take."""
    left = memoryview(data)
    while left:
        left = left[client.sock.send(left) :]


def _close(client: Server, code: int, reason: str) -> None:
    if client.connected:
        client.close(code, reason)
