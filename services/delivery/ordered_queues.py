"""Ordered queues: at most `parallelism` of their messages are open at a time, the oldest first.

With one, strictly in order: a message that waits for its next attempt keeps the place, so none overtakes another. One
that is given up lets the next one come.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, DateTime, Integer, Text, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.delivery.messages import FINISHED, Message
from services.errors import Conflict, NotFound


class OrderedQueue(database.Base):
    """Made by its first message, or before."""

    __tablename__ = "delivery_queues"

    tenant: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    parallelism: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    paused: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


@dataclass(frozen=True)
class Depth:
    """A queue with how many of its messages are open (due, retried or under way) and how many come after them."""

    queue: OrderedQueue
    open: int
    queued: int


def put(tenant: str, name: str, *, parallelism: int) -> None:
    """Make a queue, or change how many of its messages are open at a time."""
    statement = insert(OrderedQueue).values(tenant=tenant, name=name, parallelism=parallelism)
    with database.session() as session:
        session.execute(
            statement.on_conflict_do_update(index_elements=["tenant", "name"], set_={"parallelism": parallelism})
        )
        session.execute(select(func.open_queue(tenant, name)))


def pause(tenant: str, name: str, *, paused: bool) -> None:
    """Send nothing of this queue until it is resumed (paused=False). Raises NotFound."""
    found = get(tenant, name).queue
    with database.session() as session:
        session.merge(found).paused = paused


def listed(tenant: str, name: str | None = None) -> list[Depth]:
    """The tenant's queues by name (or the one of that name) with their depths."""
    open_now = func.count().filter(Message.status.not_in(("queued", *FINISHED)))
    queued = func.count().filter(Message.status == "queued")
    counts = (
        select(Message.queue, open_now.label("open"), queued.label("queued"))
        .where(Message.tenant == tenant, Message.queue.is_not(None), Message.status.not_in(FINISHED))
        .group_by(Message.queue)
        .subquery()
    )
    query = (
        select(OrderedQueue, func.coalesce(counts.c.open, 0), func.coalesce(counts.c.queued, 0))
        .outerjoin(counts, counts.c.queue == OrderedQueue.name)
        .where(OrderedQueue.tenant == tenant)
        .order_by(OrderedQueue.name)
    )
    if name is not None:
        query = query.where(OrderedQueue.name == name)
    with database.session() as session:
        return [Depth(*row) for row in session.execute(query)]


def get(tenant: str, name: str) -> Depth:
    """The queue of that name. Raises NotFound."""
    found = listed(tenant, name)
    if not found:
        raise NotFound(f"There is no queue {name[:80]!r}.")
    return found[0]


def remove(tenant: str, name: str) -> None:
    """Forget a queue that is empty. Raises NotFound and Conflict."""
    found = get(tenant, name)
    if found.open or found.queued:
        raise Conflict(f"The queue has {found.open + found.queued} messages that are not done; cancel them first.")
    with database.session() as session:
        session.delete(session.merge(found.queue))
