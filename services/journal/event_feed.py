"""The live side of events: published on Redis after their commit, one channel a run.

A wake-up with the events inside; whoever listens fills gaps from the journal, so a lost message loses nothing.
"""

import os
import queue
import threading
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson
import redis

from services import logs, redis_tls, settings

CHANNEL_PREFIX = "perdure:events:"
MAX_BYTES = 65_536
MAX_BATCHES = 200

log = logs.get(__name__)
_client: redis.Redis | None = None
_client_pid = 0
_queue: "queue.SimpleQueue[list[dict[str, Any]]] | None" = None
_queue_pid = 0
_starting = threading.Lock()
_readers: list[Callable[[list[dict[str, Any]]], None]] = []


def channel(run_id: str) -> str:
    """The Redis channel of a run's events."""
    return CHANNEL_PREFIX + run_id


def client() -> redis.Redis:
    """This process's Redis client, for short commands."""
    global _client, _client_pid
    if _client is None or _client_pid != os.getpid():
        _client = connect(socket_timeout=2)
        _client_pid = os.getpid()
    return _client


def connect(*, socket_timeout: float | None) -> redis.Redis:
    """A new Redis client with its own pool; a subscriber passes None to wait for ever."""
    return redis.Redis.from_url(
        settings.current().redis,
        socket_timeout=socket_timeout,
        socket_connect_timeout=2,
        socket_keepalive=True,
        health_check_interval=15,
        **redis_tls.options(settings.current().redis),
    )


def read_by(reader: Callable[[list[dict[str, Any]]], None]) -> None:
    """Show `reader` all that this process publishes from now on, in the publishing thread. It must not raise."""
    if reader not in _readers:
        _readers.append(reader)


def publish(events: list[dict[str, Any]]) -> None:
    """Tell the listeners of these committed events (of one or several runs), soon and in this order.

    Returns at once: a thread of this process publishes, many together when they come fast. Never raises, since the
    journal has the events.
    """
    if events:
        _publisher().put(events)


def _publisher() -> "queue.SimpleQueue[list[dict[str, Any]]]":
    """The queue of this process's publishing thread, which is started at first use (and anew in a forked child)."""
    global _queue, _queue_pid
    with _starting:
        if _queue is None or _queue_pid != os.getpid():
            _queue, _queue_pid = queue.SimpleQueue(), os.getpid()
            threading.Thread(target=_publish_on, args=(_queue,), name="event feed", daemon=True).start()
        return _queue


def _publish_on(waiting: "queue.SimpleQueue[list[dict[str, Any]]]") -> None:
    while True:
        batches = [waiting.get()]
        while not waiting.empty() and len(batches) < MAX_BATCHES:
            batches.append(waiting.get())
        try:
            with client().pipeline(transaction=False) as pipe:
                for batch in batches:
                    for run_id, events in groupby(batch, key=itemgetter("workflowId")):
                        pipe.publish(channel(run_id), _message(list(events)))
                pipe.execute()
        except redis.RedisError as error:
            log.warning("Events were committed but not published", error=str(error))
        for reader in _readers:
            for batch in batches:
                reader(batch)


def _message(events: list[dict[str, Any]]) -> bytes:
    message = orjson.dumps(events)
    if len(message) <= MAX_BYTES and b'"$blob"' not in message:  # listeners read what is big from the journal
        return message
    return orjson.dumps([{"workflowId": event["workflowId"], "seq": event["seq"]} for event in events])
