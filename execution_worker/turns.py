"""Turns at the processor: of a worker's many threads only a few do more than wait at any time.

A worker has a hundred threads so that a hundred tools can wait for the network. If as many competed for Python's
interpreter lock whenever a burst of short steps arrives, they would spend their time handing it around (throughput
fell to a half). A thread takes a turn for everything but the waiting of a tool.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from services import settings

_turns = threading.BoundedSemaphore(settings.current().call_connections)


_waiting: deque[None] = deque()


def waiting() -> int:
    """How many threads wait for their first turn: messages taken and not begun."""
    return len(_waiting)


@contextmanager
def taken() -> Iterator[None]:
    """Hold a turn inside the block."""
    _waiting.append(None)
    _turns.acquire()
    _waiting.pop()
    try:
        yield
    finally:
        _turns.release()


@contextmanager
def given_up() -> Iterator[None]:
    """Let somebody else have this thread's turn inside the block, in which it only waits."""
    _turns.release()
    try:
        yield
    finally:
        _turns.acquire()
