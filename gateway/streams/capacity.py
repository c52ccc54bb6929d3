"""How many streams this process may hold, and whether it is shutting down."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from services import settings
from services.errors import Unavailable

_draining = threading.Event()
_lock = threading.Lock()
_taken = 0


def drain() -> None:
    """The process is about to end: no new streams, and those that are open say goodbye."""
    _draining.set()


def draining() -> bool:
    """Whether `drain` was called."""
    return _draining.is_set()


def taken() -> int:
    """How many streams this process holds."""
    return _taken


def check() -> None:
    """Raise Unavailable when this process takes no further stream."""
    if draining():
        raise Unavailable("This process is shutting down; connect again.")
    if _taken >= settings.current().max_streams:
        raise Unavailable(f"All {settings.current().max_streams} streams of this process are taken; try again later.")


@contextmanager
def place() -> Iterator[None]:
    """Hold one of the places for the length of the block. Raises Unavailable when there is none."""
    global _taken
    with _lock:
        check()
        _taken += 1
    try:
        yield
    finally:
        with _lock:
            _taken -= 1
