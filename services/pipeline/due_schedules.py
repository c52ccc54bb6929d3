"""Starting what is due: one run for every slot, however many schedulers look and whatever their clocks say.

The database's clock decides what is due. A slot is a row, and its run's id follows from it: so a slot that is decided
twice is one run. Schedule, slots, run and the next time are one commit; the message comes after, or from the sweeper.
"""

from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services import database, logs
from services.journal import event_feed, runs
from services.journal.runs import Run
from services.pipeline import phases
from services.schedules import schedules
from services.schedules.schedules import Schedule, Slot

BATCH = 50
LATE = timedelta(seconds=60)  # what is decided so late was missed
MOST_AT_ONCE = 1_000  # slots of one schedule in one pass
MOST_BACKFILLED = 200  # in one call, which a caller waits for

log = logs.get(__name__)


def start_due() -> int:
    """Decide what is due and what is queued; returns how many runs were started."""
    if not schedules.any_due():
        return 0
    started: list[dict[str, Any]] = []
    cancelled: list[tuple[str, str]] = []
    with database.session() as session:
        now = _now(session)
        due = select(Schedule).where(Schedule.next_at <= now, ~Schedule.paused).order_by(Schedule.next_at)
        for schedule in session.scalars(due.limit(BATCH).with_for_update(skip_locked=True)):
            _decide(session, schedule, now, started, cancelled)
        for slot, schedule in _queued(session):
            if _living(session, schedule.id) is None:
                _start(session, schedule, slot.slot, started)
    for tenant, run_id in cancelled:
        event_feed.publish(runs.request_cancel(tenant, run_id))
    for run in started:
        phases.start(run["id"], planned=run["plan"] is not None)
    return len(started)


def start_now(schedule: Schedule) -> str:
    """Start a run beside all slots; returns its id."""
    return _backfilled(schedule, None)


def backfill(
    schedule: Schedule, since: datetime, until: datetime, *, dry_run: bool
) -> list[tuple[datetime, str | None]]:
    """Start the runs of the first slots in since … until that have none; returns each with its run (None: dry run)."""
    first = since - timedelta(microseconds=1)
    wanted = list(islice(takewhile(lambda slot: slot < until, schedule.timing.after(first)), MOST_BACKFILLED))
    with database.session() as session:
        query = select(Slot.slot).where(
            Slot.schedule_id == schedule.id, Slot.run_id.is_not(None), Slot.slot.in_(wanted)
        )
        done = set(session.scalars(query))
    return [(slot, None if dry_run else _backfilled(schedule, slot)) for slot in wanted if slot not in done]


def _backfilled(schedule: Schedule, slot: datetime | None) -> str:
    started: list[dict[str, Any]] = []
    with database.session() as session:
        _start(session, schedule, slot or _now(session), started)
    phases.start(started[0]["id"], planned=started[0]["plan"] is not None)
    return str(started[0]["id"])


def _decide(
    session: Session,
    schedule: Schedule,
    now: datetime,
    started: list[dict[str, Any]],
    cancelled: list[tuple[str, str]],
) -> None:
    """What becomes of all slots of this schedule up to now; then when it is due next."""
    assert schedule.next_at is not None
    before = schedule.next_at - timedelta(microseconds=1)
    due = list(islice(takewhile(lambda slot: slot <= now, schedule.timing.after(before)), MOST_AT_ONCE))
    for place, slot in enumerate(due):
        newest = place == len(due) - 1
        missed = now - slot > LATE
        if (missed and schedule.catchup == "none") or (not newest and schedule.catchup == "last"):
            _write(session, schedule, slot, "missed")
            continue
        living = _living(session, schedule.id) if schedule.overlap != "allow" else None
        if living is None:
            _start(session, schedule, slot, started)
        elif schedule.overlap == "cancel":
            cancelled.append((schedule.tenant, str(living)))
            _start(session, schedule, slot, started)
        else:
            _write(session, schedule, slot, "queued" if schedule.overlap == "queue" else "skipped")
    schedule.next_at = next(schedule.timing.after(due[-1]), None) if due else next(schedule.timing.after(now), None)


def _start(session: Session, schedule: Schedule, slot: datetime, started: list[dict[str, Any]]) -> None:
    run_id = uuid5(schedule.id, slot.isoformat())
    run = {"conversation_id": str(run_id), **schedule.run, "id": str(run_id), "tenant": schedule.tenant}
    run["labels"] = {**(run.get("labels") or {}), "schedule": schedule.name}
    session.scalar(select(func.create_run(database.json(run))))
    _write(session, schedule, slot, "started", run_id)
    session.flush()
    started.append(run)
    log.info("A schedule's run is started", schedule=schedule.name, slot=slot.isoformat(), run_id=str(run_id))


def _write(session: Session, schedule: Schedule, slot: datetime, outcome: str, run_id: UUID | None = None) -> None:
    row = {"schedule_id": schedule.id, "slot": slot, "outcome": outcome, "run_id": run_id}
    change = {"outcome": outcome, "run_id": run_id}
    session.execute(insert(Slot).values(row).on_conflict_do_update(index_elements=["schedule_id", "slot"], set_=change))


def _living(session: Session, schedule_id: UUID) -> UUID | None:
    """The newest run of the schedule that has not ended."""
    query = (
        select(Run.id)
        .join(Slot, Slot.run_id == Run.id)
        .where(Slot.schedule_id == schedule_id, Run.phase.is_not(None), ~Run.cancel_requested)
        .order_by(Slot.slot.desc())
    )
    return session.scalar(query.limit(1))


def _queued(session: Session) -> list[tuple[Slot, Schedule]]:
    query = select(Slot, Schedule).join(Schedule, Schedule.id == Slot.schedule_id).where(Slot.outcome == "queued")
    return [
        (row[0], row[1])
        for row in session.execute(query.order_by(Slot.slot).limit(BATCH).with_for_update(skip_locked=True))
    ]


def _now(session: Session) -> datetime:
    now = session.scalar(select(func.clock_timestamp()))
    assert now is not None
    return now
