"""A run's events by asking again and again: the first batch there is, or nothing after the wait."""

import time
from collections.abc import Callable, Iterator

from gateway.streams import capacity
from gateway.streams.following import Interrupted
from gateway.streams.frames import Frame


def first_batch(follow: Callable[[float], Iterator[list[Frame]]], wait: float) -> list[Frame]:
    """The next events, or an empty list when none came within `wait` seconds. follow: given a tick, the batches."""
    deadline = time.monotonic() + wait
    with capacity.place():
        try:
            for batch in follow(wait):
                if batch or time.monotonic() >= deadline:
                    return batch
        except Interrupted:
            return []
    return []
