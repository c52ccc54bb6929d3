"""The live side of events: published on Redis after their commit, one channel a run.

A wake-up with the events inside; whoever listens fills gaps from the journal, so a lost message loses nothing.
"""

import os
from typing import Any

import orjson
import redis

from services import logs, settings

CHANNEL_PREFIX = "perdure:events:"
MAX_BYTES = 65_536

log = logs.get(__name__)
_client: redis.Redis | None = None
_client_pid = 0


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
    )


def publish(events: list[dict[str, Any]]) -> None:
    """Tell the listeners of these committed events (of one or several runs). Never raises: the journal has them.

    One message a run: a JSON list of events, or of {workflowId, seq} alone where the events are large.
    """
    if not events:
        return
    by_run: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        by_run.setdefault(event["workflowId"], []).append(event)
    try:
        if len(by_run) == 1:
            run_id, mine = next(iter(by_run.items()))
            client().publish(channel(run_id), _message(mine))
            return
        with client().pipeline(transaction=False) as pipe:
            for run_id, mine in by_run.items():
                pipe.publish(channel(run_id), _message(mine))
            pipe.execute()
    except redis.RedisError as error:
        log.warning("Events were committed but not published", error=str(error))


def _message(events: list[dict[str, Any]]) -> bytes:
    message = orjson.dumps(events)
    if len(message) <= MAX_BYTES:
        return message
    return orjson.dumps([{"workflowId": event["workflowId"], "seq": event["seq"]} for event in events])
