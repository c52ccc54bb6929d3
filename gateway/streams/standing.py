"""Whether who follows a stream may still do so: looked at every few seconds, so that a revoked key's streams end."""

import time
from collections.abc import Callable, Iterator

from gateway.streams.following import TICK_SECONDS, Interrupted
from gateway.streams.frames import Frame

LOOK_SECONDS = 2.5  # with a second for which a key's state is kept, they end within five


class Revoked(Interrupted):
    """The caller's key or sign-in is over."""


def tick(lives: Callable[[], bool] | None) -> float:
    """How often a silent stream has to look around."""
    return TICK_SECONDS if lives is None else LOOK_SECONDS


def while_known(batches: Iterator[list[Frame]], lives: Callable[[], bool] | None) -> Iterator[list[Frame]]:
    """The batches, as long as `lives` says yes (None: who asked for nothing can't lose it). Raises Revoked."""
    looked, last = time.monotonic(), 0
    for batch in batches:
        if lives is not None and time.monotonic() - looked >= LOOK_SECONDS:
            looked = time.monotonic()
            if not lives():
                raise Revoked(last)
        yield batch
        if batch:
            last = batch[-1].seq
