"""A run's events as server-sent events: `id:` is the number to resume from, comments keep the line open."""

import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

from gateway.streams import capacity, modes
from gateway.streams.following import Interrupted
from gateway.streams.frames import Frame

PING_SECONDS = 15
STUCK_SECONDS = 10
RETRY = "retry: 1000\n\n"


def lines(batches: Iterator[list[Frame]], wanted: frozenset[str] | None = None) -> Iterator[str]:
    """The body of the response: the first byte at once, then events, then pings. A stream cut short just ends: the
    client connects again by itself and says what it had last."""
    with capacity.place():
        yield ": ok\n" + RETRY
        spoke = time.monotonic()
        try:
            for batch in batches:
                if shown := modes.passing(batch, wanted):
                    yield "".join(f"id: {frame.seq}\ndata: {frame.text}\n\n" for frame in shown)
                elif time.monotonic() - spoke < PING_SECONDS:
                    continue
                else:
                    yield ": ping\n\n"
                spoke = time.monotonic()
        except Interrupted:
            yield RETRY


def never_block_for_ever(environ: dict[str, Any]) -> None:
    """Under gunicorn, a send to a client that reads nothing gives up after STUCK_SECONDS."""
    connection = environ.get("gunicorn.socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STUCK_SECONDS, 0))
