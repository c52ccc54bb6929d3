"""Worker processes: one row each, with a heartbeat. A worker without a row owns nothing."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Double, Index, Integer, Text, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from services import database, failpoints
from services.failpoints import Failpoint
from services.metrics import families, tally


class Worker(database.Base):
    """A living process. `id` is unique over restarts: kind@host:pid:start time.

    backlog, slots, busy, clock_ahead: its vital signs at its last heartbeat. taken_at: when a task last began in it.
    """

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text)
    pid: Mapped[int] = mapped_column(Integer)
    process_started: Mapped[float] = mapped_column(Double)
    backlog: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    slots: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    busy: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    taken_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    clock_ahead: Mapped[float] = mapped_column(Double, server_default=text("0"))
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    beat_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (Index(None, "beat_at"), Index(None, "host"))


@dataclass(frozen=True)
class Vitals:
    """What a process says of itself with every heartbeat.

    backlog: messages it has taken from the broker and not begun. slots: how many tasks it can work on at once; busy: on
    how many it does. idle: seconds since a task last began in it. clock_ahead: seconds that its clock is ahead of the
    database's.
    """

    backlog: int = 0
    slots: int = 0
    busy: int = 0
    idle: float | None = None
    clock_ahead: float = 0.0


def beat(
    worker: str, kind: str, host: str, pid: int, process_started: float, vitals: Vitals = Vitals()
) -> tuple[datetime, int]:
    """Say that this process lives (every `heartbeat_seconds`); registers it the first time.

    Returns the database's time, and how many of its kind have said so within the last ten seconds.
    """
    heard = database.call("beat_worker", worker, kind, host, pid, process_started, database.json(asdict(vitals)))
    return datetime.fromtimestamp(heard["now"], UTC), heard["alive"]


def alive(host: str | None = None) -> list[Worker]:
    """All registered workers, or those of one host."""
    query = select(Worker) if host is None else select(Worker).where(Worker.host == host)
    with database.session() as session:
        return list(session.scalars(query))


def living_kinds(seconds: float) -> set[str]:
    """The kinds of which some worker's last heartbeat is at most this many seconds old, by the database's clock."""
    recent = Worker.beat_at > func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    with database.session() as session:
        return set(session.scalars(select(Worker.kind).where(recent).distinct()))


def kinds_with_backlog() -> set[str]:
    """The kinds of which some worker has taken messages that it has not begun."""
    return set(database.call("kinds_with_backlog"))


def release(worker: str, reason: str) -> list[dict[str, Any]]:
    """Take the worker off the list and give back all that it owned; returns the events to publish.

    reason: `lost` (it died; counts as a failed attempt) or `handed_back` (it said goodbye; counts as nothing).
    """
    events = database.call("release_worker", worker, reason)
    if reason == "lost":
        tally.count(families.WORKERS_LOST, worker.split("@", maxsplit=1)[0])
        failpoints.reached(Failpoint.WORKER_RELEASED)
    return events


def overdue(seconds: float) -> list[str]:
    """The ids of workers whose last heartbeat is older than this many seconds, by the database's clock."""
    return database.call("overdue_workers", seconds)
