"""The process's one Redis subscription, fanned out to the inboxes of all clients that follow a run here.

One thread owns the subscription; others ask it to change through a channel of its own. A second thread compares with
the journal every few seconds, so a lost publish or a restarted Redis delays events but loses none.
"""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import orjson
import redis

from gateway.streams import frames
from gateway.streams.frames import Frame
from gateway.streams.inbox import Inbox
from services import clock, logs
from services.errors import PerdureError
from services.journal import event_feed, runs
from services.metrics import families, tally

CHECK_SECONDS = 5.0
CONFIRM_SECONDS = 1.0
RECONNECT_SECONDS = 0.5

log = logs.get(__name__)


@dataclass
class Topic:
    """A run that somebody follows here. newest: the highest event number seen; confirmed: Redis knows we listen."""

    inboxes: set[Inbox] = field(default_factory=set)
    newest: int = 0
    confirmed: threading.Event = field(default_factory=threading.Event)


class Hub:
    """Use `current()`; threads start with the first follower."""

    def __init__(self) -> None:
        self._topics: dict[str, Topic] = {}
        self._lock = threading.Lock()
        self._control = f"perdure:hub:{uuid.uuid4()}"
        self._started = False

    @contextmanager
    def subscribed(self, run_id: str, inbox: Inbox) -> Iterator[None]:
        """The inbox gets every event of the run published from now on.

        If Redis does not confirm in time, the block runs all the same: the journal check delivers.
        """
        with self._lock:
            topic = self._topics.get(run_id)
            if fresh := topic is None:
                topic = self._topics[run_id] = Topic()
            assert topic is not None
            topic.inboxes.add(inbox)
            self._start_threads()
        try:
            if fresh:
                self._ask_listener()
            topic.confirmed.wait(CONFIRM_SECONDS)
            yield
        finally:
            self._leave(run_id, inbox)

    def wake_all(self) -> None:
        """Let every waiting follower look around (the process is shutting down)."""
        with self._lock:
            waiting = [inbox for topic in self._topics.values() for inbox in topic.inboxes]
        for inbox in waiting:
            inbox.wake()

    def waiting(self) -> int:
        """How many events wait for their clients, all together."""
        with self._lock:
            return sum(inbox.waiting() for topic in self._topics.values() for inbox in topic.inboxes)

    def _leave(self, run_id: str, inbox: Inbox) -> None:
        with self._lock:
            topic = self._topics[run_id]
            topic.inboxes.discard(inbox)
            last = not topic.inboxes
            if last:
                del self._topics[run_id]
        if last:
            self._ask_listener()

    def _ask_listener(self) -> None:
        """Have the listener compare its subscriptions with the topics; it does so every second anyway."""
        with suppress(redis.RedisError):
            event_feed.client().publish(self._control, b"")

    def _start_threads(self) -> None:
        if not self._started:
            self._started = True
            threading.Thread(target=self._listen_for_ever, name="streams-listener", daemon=True).start()
            threading.Thread(target=self._check_for_ever, name="streams-checker", daemon=True).start()

    def _listen_for_ever(self) -> None:
        while True:
            try:
                self._listen()
            except (redis.RedisError, OSError) as error:
                log.warning("The event feed broke; connecting again", error=str(error))
                threading.Event().wait(RECONNECT_SECONDS)

    def _listen(self) -> None:
        with event_feed.connect(socket_timeout=5).pubsub() as feed:
            feed.subscribe(self._control)
            subscribed: set[str] = set()
            while True:
                message = feed.get_message(timeout=1.0)
                if message is None or message["channel"].decode() == self._control:
                    self._adjust(feed, subscribed)
                elif message["type"] == "subscribe":
                    self._confirm(message["channel"].decode())
                elif message["type"] == "message":
                    self._deliver(message["channel"].decode(), message["data"])

    def _adjust(self, feed: Any, subscribed: set[str]) -> None:
        with self._lock:
            wanted = {event_feed.channel(run_id) for run_id in self._topics}
        if joined := wanted - subscribed:
            feed.subscribe(*joined)
        if left := subscribed - wanted:
            feed.unsubscribe(*left)
        subscribed.clear()
        subscribed.update(wanted)

    def _confirm(self, channel: str) -> None:
        with self._lock:
            topic = self._topics.get(channel.removeprefix(event_feed.CHANNEL_PREFIX))
        if topic:
            topic.confirmed.set()

    def _deliver(self, channel: str, message: bytes) -> None:
        events = orjson.loads(message)
        self._hand_out(channel.removeprefix(event_feed.CHANNEL_PREFIX), [frames.of(each) for each in events])
        if events and "at" in events[-1]:
            late = clock.now() - datetime.fromisoformat(events[-1]["at"])
            tally.observe(families.STREAM_DELAY, late.total_seconds())

    def _hand_out(self, run_id: str, new: list[Frame]) -> None:
        with self._lock:
            topic = self._topics.get(run_id)
            if topic is None:
                return
            topic.newest = max(topic.newest, new[-1].seq)
            inboxes = list(topic.inboxes)
        for inbox in inboxes:
            inbox.offer(new)

    def _check_for_ever(self) -> None:
        while True:
            threading.Event().wait(CHECK_SECONDS)
            try:
                self._check()
            except (PerdureError, OSError) as error:
                log.warning("The followed runs could not be compared with the journal", error=str(error))

    def _check(self) -> None:
        """Tell the followers of every run whose journal is ahead of what was published to us."""
        with self._lock:
            seen = {run_id: topic.newest for run_id, topic in self._topics.items()}
        for run_id, last in (runs.last_seqs(list(seen)) if seen else {}).items():
            if last > seen[run_id]:
                self._hand_out(run_id, [Frame(last)])


@cache
def current() -> Hub:
    """This process's hub."""
    return Hub()
