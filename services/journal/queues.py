"""The queues of messages as far as they can be seen: how many wait, and marks that show what has come through.

A queue is first in, first out: when a mark that was sent through it has come out, every message sent before the mark
was taken by somebody, or is lost. The sweeper (journal/functions/4_recovery.sql) draws that conclusion.
"""

from datetime import datetime

import redis
from sqlalchemy import DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from services import database, settings
from services.errors import Unavailable
from services.journal import event_feed


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
    """How many messages wait in each queue; None when the broker is not Redis. Raises Unavailable when it is away."""
    if settings.current().broker != settings.current().redis:
        return None
    try:
        with event_feed.client().pipeline(transaction=False) as pipe:
            for name in names:
                pipe.llen(name)
            return dict(zip(names, pipe.execute(), strict=True))
    except redis.RedisError as error:
        raise Unavailable(f"Redis does not answer ({error}); start it, or check REDIS_URL.") from error
