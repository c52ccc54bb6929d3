"""A run's events by asking again and again: the first batch there is, or nothing after the wait."""

import time
from collections.abc import Callable, Iterator, Sequence

from gateway.streams import capacity, modes
from gateway.streams.following import Interrupted
from gateway.streams.frames import Frame


def first_batch(
    follow: Callable[[float], Iterator[list[Frame]]], wait: float, wanted: frozenset[str] | None
) -> tuple[Sequence[Frame], int]:
    """The next events that are wanted, none if there was none within `wait` seconds; and the last number seen.

    follow: given a tick, the batches.
    """
    deadline = time.monotonic() + wait
    seen = 0
    with capacity.place():
        try:
            for batch in follow(wait):
                seen = batch[-1].seq if batch else seen
                shown = modes.passing(batch, wanted)
                if shown or time.monotonic() >= deadline:
                    return shown, seen
        except Interrupted:
            return [], seen
    return [], seen
