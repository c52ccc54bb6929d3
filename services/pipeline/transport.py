"""Kombu's Redis transport, with one client a channel where kombu makes a new one for every publish.

Building `redis.Redis` copies its table of reply parsers; at one message a step that was 17 % of a worker's processor
time (profile of kombu 5.7).
"""

from typing import Any

from kombu import transport
from kombu.transport import redis

ALIASES = ("redis", "rediss")
EMPTY: tuple[Any, ...] = (None, 0, {}, "{}", [None, None])  # what a worker takes an absent header for
UNREAD = ("correlation_id", "reply_to")  # properties for results, which we have none of


class Channel(redis.Channel):
    """A channel that keeps its client for as long as its connection pool lives, and leaves out empty headers."""

    body_encoding = None  # type: ignore[assignment]  # ours is JSON; base64 would make it a third longer
    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()
        return self._kept

    def _put(self, queue: str, message: dict[str, Any], **options: Any) -> None:
        headers = {name: value for name, value in message["headers"].items() if value not in EMPTY and name != "origin"}
        properties = {name: value for name, value in message["properties"].items() if name not in UNREAD}
        super()._put(queue, {**message, "headers": headers, "properties": properties}, **options)


class Transport(redis.Transport):
    """What `redis://` means to Celery here."""

    Channel = Channel


def install() -> None:
    """Make kombu use it for redis:// and rediss://."""
    for alias in ALIASES:
        transport.TRANSPORT_ALIASES[alias] = f"{__name__}:Transport"
