"""What keeps this process from its work at the moment: a database that takes no writes, a model that does not answer.

Whoever waits for such a part to come back says so here; the heartbeat tells the others (services/journal/reports.py).
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_numbers = itertools.count()
_lock = threading.Lock()
_present: dict[int, tuple[str, str]] = {}


@contextmanager
def lasting(part: str) -> Iterator[Callable[[str], None]]:
    """Gives a function that says, in a sentence, what is wrong with `part`; it counts until the block ends."""
    number = next(_numbers)

    def say(sentence: str) -> None:
        with _lock:
            _present[number] = (part, sentence)

    try:
        yield say
    finally:
        with _lock:
            _present.pop(number, None)


def present() -> dict[str, str]:
    """What is wrong now: a sentence for each part, the one that was said first."""
    with _lock:
        found = sorted(_present.items(), reverse=True)
    return dict(trouble for _, trouble in found)
