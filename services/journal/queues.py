"""The queues of messages as far as they can be seen: how many wait, and marks that show what has come through.

A queue is first in, first out: when a mark that was sent through it has come out, every message sent before the mark
was taken by somebody, or is lost. The sweeper (journal/functions/4_recovery.sql) draws that conclusion.
"""

import threading
from contextlib import suppress
from datetime import datetime

import redis
from amqp.exceptions import AMQPError
from amqp.exceptions import NotFound as AmqpNotFound
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from sqlalchemy import DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from services import database, settings
from services.errors import Unavailable
from services.journal import event_feed

_rabbitmq: Connection | None = None
_asking = threading.Lock()


class QueueMark(database.Base):
    """The newest mark that was sent through a queue, and the newest that came out at its other end."""

    __tablename__ = "queue_marks"

    queue: Mapped[str] = mapped_column(Text, primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    came_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    came_sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


def mark_due(queue: str, phases: list[str]) -> str | None:
    """Whether to send a mark through the queue now, and if so which: something waits there and no mark is under way.

    phases: the phases whose messages go through this queue.
    """
    return database.call("send_mark", queue, phases)


def mark_came(queue: str, mark: str) -> None:
    """A worker took this mark out of the queue."""
    database.call("mark_came", queue, mark)


def depths(names: list[str]) -> dict[str, int] | None:
    """How many messages wait in each queue; None when the broker can't tell. Raises Unavailable when it is away."""
    broker = settings.current().broker
    if broker != settings.current().redis:
        return _depths_at_rabbitmq(broker, names) if broker.startswith(("amqp", "pyamqp")) else None
    try:
        with event_feed.client().pipeline(transaction=False) as pipe:
            for name in names:
                pipe.llen(name)
            return dict(zip(names, pipe.execute(), strict=True))
    except redis.RedisError as error:
        raise Unavailable(f"Redis does not answer ({error}); start it, or check REDIS_URL.") from error


def _depths_at_rabbitmq(url: str, names: list[str]) -> dict[str, int]:
    """By declaring what is there already, which tells how much is in it. A queue that is not there is empty."""
    global _rabbitmq
    with _asking:
        try:
            _rabbitmq = _rabbitmq or Connection(url, connect_timeout=2, heartbeat=0)
            return {name: _depth(_rabbitmq, name) for name in names}
        except (OperationalError, AMQPError, OSError) as error:
            if _rabbitmq is not None:
                with suppress(AMQPError, OSError):
                    _rabbitmq.release()
            _rabbitmq = None
            raise Unavailable(f"RabbitMQ does not answer ({error}); start it, or check BROKER_URL.") from error


def _depth(connection: Connection, name: str) -> int:
    try:
        with connection.channel() as channel:
            return int(channel.queue_declare(name, passive=True).message_count)
    except AmqpNotFound:
        return 0
