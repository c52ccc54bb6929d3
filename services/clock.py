"""The one clock. Leases and timers compare against the database's clock; everything a person reads uses this one.

A machine's own clock may be wrong. Each heartbeat brings the database's time, and this clock follows it, so that a tool
that waits until nine o'clock does so by the same clock as the sweeper that wakes it.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import overload

# What is left uncorrected: clocks that are kept by the network differ less, and a clock that never moves is pleasanter.
TOLERANCE = 0.25

_correction = timedelta(0)


def now() -> datetime:
    """The current time, timezone-aware, in UTC."""
    return datetime.now(UTC) + _correction


def follow(reference: datetime, *, asked: float, answered: float) -> float:
    """Set this process's clock by a reference that was read between two moments of `monotonic()`.

    Returns how many seconds the machine's own clock is ahead. Changes nothing when the clock is right already, as far
    as the time for the answer lets one tell.
    """
    global _correction
    took = answered - asked
    ahead = datetime.now(UTC) - timedelta(seconds=took / 2) - reference
    if abs((ahead + _correction).total_seconds()) > TOLERANCE + took / 2:
        _correction = -ahead
    return ahead.total_seconds()


def monotonic() -> float:
    """Seconds that only ever go forward, for deadlines inside one process; the zero has no meaning."""
    return time.monotonic()


@overload
def to_wire(moment: datetime) -> str: ...


@overload
def to_wire(moment: None) -> None: ...


def to_wire(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds and a `Z`, as every API reply shows times; None stays None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
