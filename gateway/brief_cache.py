"""Values that may be a moment old: what every request needs and what changes rarely (known tools, API keys)."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class BriefCache(Generic[Value]):
    """Keeps each value for `seconds`, at most `most` of them."""

    def __init__(self, seconds: float, most: int = 1_000) -> None:
        self._seconds = seconds
        self._most = most
        self._kept: dict[Hashable, tuple[float, Value]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The kept value of `key`, or what `make` returns. An exception of `make` is not kept."""
        now = time.monotonic()
        found = self._kept.get(key)
        if found and now - found[0] < self._seconds:
            return found[1]
        value = make()
        with self._lock:
            if len(self._kept) >= self._most:
                self._kept.clear()
            self._kept[key] = (now, value)
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
