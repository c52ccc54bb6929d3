"""The one clock. Leases and timers compare against the database's clock; everything a person reads uses this one."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The current time, timezone-aware, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that only ever go forward, for deadlines inside one process; the zero has no meaning."""
    return time.monotonic()


def to_wire(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds and a `Z`, as every API reply shows times; None stays None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
