"""What one client has not taken yet: a bounded queue that the hub fills and the client's thread empties."""

import threading
from collections.abc import Sequence

from gateway.streams.frames import Frame

LIMIT = 2_000


class Inbox:
    """Frames for one client. When more than LIMIT wait, all are dropped and `overflowed` is set."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._ready = threading.Condition()
        self.overflowed = False
        self._woken = False

    def offer(self, frames: Sequence[Frame]) -> None:
        """Add frames; never waits for the client."""
        with self._ready:
            if len(self._frames) + len(frames) > LIMIT:
                self.overflowed = True
                self._frames.clear()
            elif not self.overflowed:
                self._frames.extend(frames)
            self._ready.notify()

    def take(self, seconds: float) -> list[Frame]:
        """All that waits; waits for something up to `seconds`. Empty after that time, a wake-up or an overflow."""
        with self._ready:
            if not self._frames and not self.overflowed and not self._woken:
                self._ready.wait(seconds)
            self._woken = False
            taken, self._frames = self._frames, []
            return taken

    def waiting(self) -> int:
        """How many frames the client has not taken."""
        return len(self._frames)

    def empty(self) -> None:
        """Drop what waits and start afresh: the caller is about to read it from the journal."""
        with self._ready:
            self._frames.clear()
            self.overflowed = False

    def wake(self) -> None:
        """Let `take` return now, or the next one if none waits."""
        with self._ready:
            self._woken = True
            self._ready.notify()
