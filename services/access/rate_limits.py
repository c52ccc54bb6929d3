"""How many requests each key may make in a minute and in a day (UTC), counted in Redis; here alone while Redis is away.

Redis is disposable: when it is wiped, counts begin anew.
"""

import os
import threading
from dataclasses import dataclass
from functools import cache

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import FixedWindowRateLimiter

from services import clock, logs, settings
from services.access.api_keys import Limits

log = logs.get(__name__)

AWAY_SECONDS = 5.0  # how long Redis is not asked after it did not answer


@dataclass(frozen=True)
class Window:
    """What is left of one limit. resets_in: seconds until it begins anew."""

    name: str
    limit: int
    seconds: int
    left: int
    resets_in: int

    @property
    def exceeded(self) -> bool:
        """Whether this request is one too many."""
        return self.left < 0


def count(holder: str, limits: Limits) -> list[Window]:
    """Count a request of this holder; what is left of each limit that it has."""
    per_minute = limits.per_minute or settings.current().requests_per_minute
    wanted: list[tuple[str, int, RateLimitItem]] = [("minute", per_minute, RateLimitItemPerMinute(per_minute))]
    if limits.per_day is not None:
        wanted.append(("day", limits.per_day, RateLimitItemPerDay(limits.per_day)))
    return [_counted(holder, *each) for each in wanted]


def _counted(holder: str, name: str, limit: int, item: RateLimitItem) -> Window:
    store = _stores()
    try:
        if not store.redis_is_away():
            return _hit(store.shared, holder, name, limit, item)
    except StorageError as error:
        store.note_away()
        log.warning("Redis does not answer; this process counts requests by itself", error=str(error))
    return _hit(store.own, holder, name, limit, item)


def _hit(storage: Storage, holder: str, name: str, limit: int, item: RateLimitItem) -> Window:
    limiter = FixedWindowRateLimiter(storage)
    taken = limiter.hit(item, holder)
    resets_at, left = limiter.get_window_stats(item, holder)
    seconds = item.get_expiry()
    resets_in = min(max(1, round(resets_at - clock.now().timestamp())), seconds)
    return Window(name, limit, seconds, left if taken else -1, resets_in)


class _Stores:
    """The counters: those of all processes, in Redis, and this process's own."""

    def __init__(self) -> None:
        self.shared: Storage = RedisStorage(
            settings.current().redis,
            key_prefix="perdure:limits",
            wrap_exceptions=True,
            socket_timeout=0.5,
            socket_connect_timeout=0.5,
        )
        self.own: Storage = MemoryStorage()
        self._away_until = 0.0
        self._lock = threading.Lock()

    def redis_is_away(self) -> bool:
        """Whether it did not answer a moment ago."""
        return clock.monotonic() < self._away_until

    def note_away(self) -> None:
        """It did not answer."""
        with self._lock:
            self._away_until = clock.monotonic() + AWAY_SECONDS


def _stores() -> _Stores:
    return _made(os.getpid(), settings.current().redis)


@cache
def _made(_pid: int, _redis: str) -> _Stores:
    return _Stores()
