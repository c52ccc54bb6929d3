"""A circuit breaker for each model at each endpoint: what fails again and again is left alone for a while.

Known to this process alone. After the pause one call tries; whether it ends well decides for all.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services import clock, settings
from services.model.endpoints import Endpoint
from services.model.faults import Outage


@dataclass
class _State:
    failures: int = 0
    closed_until: float = 0.0
    trying: bool = False


_states: dict[tuple[str, str], _State] = {}
_lock = threading.Lock()


@contextmanager
def guarding(endpoint: Endpoint) -> Iterator[None]:
    """A call of the endpoint. Raises Outage at once while it is left alone."""
    state = _admitted(endpoint)
    failed = False
    try:
        yield
        with _lock:
            state.failures = 0
    except Outage as outage:
        failed = outage.counts
        raise
    finally:
        with _lock:
            state.trying = False
            if failed:
                state.failures += 1
                state.closed_until = clock.monotonic() + settings.current().breaker_seconds


def _admitted(endpoint: Endpoint) -> _State:
    most = settings.current().breaker_failures
    with _lock:
        state = _states.setdefault((endpoint.host, endpoint.model), _State())
        if state.failures < most:
            return state
        left = state.closed_until - clock.monotonic()
        if left > 0 or state.trying:
            raise Outage(
                f"The model {endpoint.model} at {endpoint.host} failed {state.failures} times in a row "
                f"and is left alone for {settings.current().breaker_seconds:g} s.",
                retry_after=max(left, 1.0),
                counts=False,
                again=False,
            )
        state.trying = True
        return state
