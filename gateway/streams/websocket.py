"""A run's events over a WebSocket: one text frame an event; closes with 1000 after the last one.

4408: you read too slowly. 1012: this process is going away. 1013: no place, or no journal, just now. The reason says
what to resume with.
"""

import socket
import struct
import time
from collections.abc import Iterator

from simple_websocket import ConnectionClosed, Server
from wsproto.events import Ping, TextMessage
from wsproto.utilities import LocalProtocolError

from gateway.streams import modes
from gateway.streams.following import Draining, Interrupted, SlowReader
from gateway.streams.frames import Frame

DONE, GOING_AWAY, TRY_LATER, TOO_SLOW = 1000, 1012, 1013, 4408
PING_SECONDS = 25
STUCK_SECONDS = 10


def serve(client: Server, batches: Iterator[list[Frame]], wanted: frozenset[str] | None = None) -> None:
    """Send all batches, pinging while nothing happens; returns when the client is gone or everything was said."""
    _never_block_for_ever(client.sock)
    try:
        _send_all(client, batches, wanted)
        _close(client, DONE, "the run has ended")
    except SlowReader as cut:
        _close(client, TOO_SLOW, str(cut))
    except Draining as cut:
        _close(client, GOING_AWAY, str(cut))
    except Interrupted as cut:
        _close(client, TRY_LATER, str(cut))
    except (OSError, ConnectionClosed, LocalProtocolError):
        client.connected = False  # gone, or stuck for so long that nothing more can be said


def _send_all(client: Server, batches: Iterator[list[Frame]], wanted: frozenset[str] | None) -> None:
    pinged = time.monotonic()
    for batch in batches:
        if not client.connected:
            raise ConnectionClosed
        client.input_buffer.clear()  # nothing that a client says means anything yet
        for frame in modes.passing(batch, wanted):
            _send(client, client.ws.send(TextMessage(data=frame.text or "")))
        if time.monotonic() - pinged >= PING_SECONDS:
            pinged = time.monotonic()
            _send(client, client.ws.send(Ping()))


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
