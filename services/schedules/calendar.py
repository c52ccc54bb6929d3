"""When a schedule is due: cron in a time zone, an interval, or one moment.

Cron is cronsim's (Debian's rules, five fields): where the clock is put forward, a fixed time in the gap is due at its
end; where it is put back, a fixed time is due once, and a wildcard in both hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from services.errors import BadInput, FieldError

SHORTEST = 1.0  # seconds between two slots of an interval
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True)
class Timing:
    """One of cron (with its IANA zone), every (seconds, counted from `start`) and at (an aware time)."""

    cron: str | None = None
    every: float | None = None
    at: datetime | None = None
    timezone: str = "UTC"
    start: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The slots after `moment`, in UTC, in order; without end, but for `at`."""
        if self.at is not None:
            if self.at > moment:
                yield self.at.astimezone(UTC)
            return
        if self.every is not None:
            number = max(int((moment - self.start).total_seconds() // self.every), -1) + 1
            while True:
                yield self.start + timedelta(seconds=number * self.every)
                number += 1
        for slot in CronSim(self.cron or "", moment.astimezone(_zone(self.timezone))):
            yield slot.astimezone(UTC)

    def explained(self) -> str:
        """In plain English."""
        if self.at is not None:
            return f"Once, at {self.at.isoformat()}"
        if self.every is not None:
            size, unit = next(each for each in _UNITS if self.every % each[0] == 0 or each[0] == 1)
            count = self.every / size
            return f"Every {unit}" if count == 1 else f"Every {count:g} {unit}s"
        return f"{CronSim(self.cron or '', self.start).explain()} ({self.timezone})"


def check(timing: Timing) -> None:
    """Raise BadInput, naming the field, for a timing that makes no sense."""
    given = [name for name in ("cron", "every", "at") if getattr(timing, name) is not None]
    if len(given) != 1:
        raise _refused("cron", "give one of `cron`, `every` (seconds) and `at` (a time).")
    try:
        _zone(timing.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _refused("timezone", "is no IANA zone; write one like Europe/Berlin.") from error
    if timing.every is not None and timing.every < SHORTEST:
        raise _refused("every", f"must be at least {SHORTEST:g} second.")
    if timing.at is not None and timing.at.tzinfo is None:
        raise _refused("at", "must name its zone, like 2026-01-31T12:00:00Z.")
    if timing.cron is not None:
        _check_cron(timing)


def _check_cron(timing: Timing) -> None:
    fields = len((timing.cron or "").split())
    if fields != 5:
        raise _refused("cron", f"has {fields} fields; it takes five: minute, hour, day, month, weekday.")
    try:
        next(timing.after(timing.start))
    except CronSimError as error:
        raise _refused("cron", f"is no cron expression: {error}.") from error
    except StopIteration as error:
        raise _refused("cron", "never comes; no date fits it.") from error


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _refused(field: str, detail: str) -> BadInput:
    return BadInput(f"#/{field}: {detail}", errors=[FieldError(f"#/{field}", detail)])
