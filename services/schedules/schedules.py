"""A schedule: when to start which run; and every slot that was due, with what became of it."""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import (
    Boolean,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    delete,
    func,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.errors import Conflict, NotFound
from services.schedules.calendar import Timing

SLOTS_KEPT = timedelta(days=90)

Overlap = Literal["allow", "skip", "queue", "cancel"]
Catchup = Literal["none", "last", "all"]


class Schedule(database.Base):
    """run: what `runs.create` takes, without id. overlap: what to do when the run before still lives. catchup: which of
    the slots that were missed (no scheduler lived, or it was paused) are made up for. next_at: None when none is left.
    """

    __tablename__ = "schedules"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    tenant: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    cron: Mapped[str | None] = mapped_column(Text)
    every: Mapped[float | None] = mapped_column(Float)
    at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    timezone: Mapped[str] = mapped_column(Text)
    run: Mapped[dict[str, Any]] = mapped_column(JSONB)
    overlap: Mapped[str] = mapped_column(Text)
    catchup: Mapped[str] = mapped_column(Text)
    paused: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    next_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (
        UniqueConstraint("tenant", "name"),
        # what is due
        Index("ix_schedules_due", "next_at", postgresql_where=text("not paused")),
    )

    @property
    def timing(self) -> Timing:
        """When it is due."""
        return Timing(self.cron, self.every, self.at, self.timezone, self.created_at)


class Slot(database.Base):
    """A moment at which a schedule was due. outcome: started, queued, skipped (the run before lived) or missed."""

    __tablename__ = "schedule_slots"

    schedule_id: Mapped[UUID] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True)
    slot: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    outcome: Mapped[str] = mapped_column(Text)
    run_id: Mapped[UUID | None] = mapped_column()
    decided_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    # what waits for the run before
    __table_args__ = (Index("ix_schedule_slots_queued", "slot", postgresql_where=text("outcome = 'queued'")),)


def add(schedule: Schedule) -> Schedule:
    """Keep a new schedule, due from now on. Raises Conflict when the tenant has one of that name."""
    try:
        with database.session() as session:
            session.add(schedule)
            session.flush()
            session.refresh(schedule)
            schedule.next_at = next(schedule.timing.after(schedule.created_at), None)
    except IntegrityError as error:
        raise Conflict(f"There is a schedule {schedule.name!r} already; PUT changes it.") from error
    return schedule


def get(tenant: str, name: str) -> Schedule:
    """The schedule of that name. Raises NotFound."""
    with database.session() as session:
        found = session.scalar(select(Schedule).where(Schedule.tenant == tenant, Schedule.name == name))
    if found is None:
        raise NotFound(f"There is no schedule {name[:80]!r}.")
    return found


def listed(tenant: str) -> list[Schedule]:
    """The tenant's schedules by name."""
    with database.session() as session:
        return list(session.scalars(select(Schedule).where(Schedule.tenant == tenant).order_by(Schedule.name)))


def change(tenant: str, name: str, **fields: Any) -> Schedule:
    """Change these fields; what comes next is worked out anew, from now on. Raises NotFound."""
    found = get(tenant, name)
    with database.session() as session:
        found = session.merge(found)
        for field, value in fields.items():
            setattr(found, field, value)
        if fields.keys() & {"cron", "every", "at", "timezone"}:
            now = session.scalar(select(func.clock_timestamp()))
            assert now is not None
            found.next_at = next(found.timing.after(now), None)
    return found


def remove(tenant: str, name: str) -> None:
    """Drop the schedule; its runs go on. Raises NotFound."""
    found = get(tenant, name)
    with database.session() as session:
        session.delete(session.merge(found))


def slots(schedule: Schedule, *, limit: int, before: datetime | None = None) -> list[Slot]:
    """The newest slots that were due (before `before`)."""
    query = select(Slot).where(Slot.schedule_id == schedule.id).order_by(Slot.slot.desc()).limit(limit)
    if before is not None:
        query = query.where(Slot.slot < before)
    with database.session() as session:
        return list(session.scalars(query))


def forget_old() -> None:
    """Drop the records of slots that nobody asks for any more. What is queued is kept, however old."""
    with database.session() as session:
        session.execute(delete(Slot).where(Slot.slot < func.now() - SLOTS_KEPT, Slot.outcome != "queued"))


def any_due() -> bool:
    """Whether something is to be decided now."""
    due = select(true()).where(Schedule.next_at <= func.clock_timestamp(), ~Schedule.paused).exists()
    queued = select(true()).where(Slot.outcome == "queued").exists()
    with database.session() as session:
        return bool(session.scalar(select(due | queued)))
