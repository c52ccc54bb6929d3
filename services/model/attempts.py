"""Trying a model call again: when that may help, as the endpoint asks, and never past the deadline."""

import random
from collections.abc import Callable
from time import sleep
from typing import TypeVar

from services import clock, troubles
from services.errors import Retryable

ATTEMPTS = 3
BASE = 0.5
LONGEST_WAIT = 10.0  # Longer waits hold no worker: the error goes up with its retry_after, and the engine waits.

Result = TypeVar("Result")


def persist(call: Callable[[], Result], deadline: float) -> Result:
    """The result of `call`, tried up to three times while it raises Retryable; the last error when none is left.

    The wait doubles from half a second, with jitter, unless the error says how long. deadline: monotonic seconds.
    """
    with troubles.lasting("model") as say:
        return _persist(call, deadline, say)


def _persist(call: Callable[[], Result], deadline: float, say: Callable[[str], None]) -> Result:
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except Retryable as error:
            say(error.detail)
            wait = error.retry_after if error.retry_after is not None else BASE * 2**attempt * random.uniform(0.5, 1)
            hopeless = attempt == ATTEMPTS - 1 or not getattr(error, "again", True)
            if hopeless or wait > min(LONGEST_WAIT, deadline - clock.monotonic()):
                raise
        sleep(wait)
    raise AssertionError("the loop returns or raises")
