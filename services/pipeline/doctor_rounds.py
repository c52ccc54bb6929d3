"""The doctor's checks of the system itself: processes, queues, the broker, Postgres, clocks. Called by doctor.py."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Literal

from sqlalchemy import func, select, text

from services import database, settings
from services.delivery.messages import Message
from services.errors import Unavailable
from services.journal import event_feed, queues, reports, workers
from services.journal.steps import Step
from services.journal.surroundings import READ_ONLY
from services.journal.why import DEAF_SECONDS
from services.journal.workers import Worker
from services.pipeline import celery_app, phases

KINDS = ("planning", "execution", "reflection", "scheduler")
CLOCKS_AGREE = 2.0  # seconds

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be (or, as `info`, that a person should know of).

    subject: run, run/step, worker or queue. repairable: fix=True would mend it; repaired: it was mended just now.
    """

    severity: Severity
    invariant: str
    subject: str
    explanation: str
    repairable: bool = False
    repaired: bool = False


@dataclass(frozen=True)
class Found:
    """A finding with what mends it, if anything can."""

    finding: Finding
    repair: Callable[[], None] | None = None


def findings() -> Iterator[Found]:
    """All of the system. Raises Unavailable when Postgres can't be read."""
    found = workers.alive()
    silent = set(workers.overdue(settings.current().lease_seconds))
    living = [worker for worker in found if worker.id not in silent]
    yield from _writes()
    yield from _troubles()
    yield from _missing(living)
    yield from (_silent(worker) for worker in found if worker.id in silent)
    yield from _clocks(living)
    try:
        depths = queues.depths(list(celery_app.QUEUES))
    except Unavailable as error:
        yield _broker_away(error)
        return
    yield from _listening(living, depths or {})
    yield from _multiplied(depths or {})


def without_postgres() -> Iterator[Found]:
    """What can be seen without Postgres."""
    yield from _troubles()
    try:
        queues.depths(list(celery_app.QUEUES))
    except Unavailable as error:
        yield _broker_away(error)


def _broker_away(error: Unavailable) -> Found:
    sentence = f"{error.detail} Runs stand still until it does; nothing is lost."
    return Found(Finding("error", "the broker answers", "redis", sentence))


def _writes() -> Iterator[Found]:
    with database.session() as session:
        read_only = session.scalar(text(READ_ONLY))
    if read_only:
        sentence = "Postgres takes no writes (it is read-only). End that; results wait in the workers meanwhile."
        yield Found(Finding("error", "Postgres takes writes", "postgres", sentence))


def _troubles() -> Iterator[Found]:
    for report in reports.heard():
        yield Found(Finding("error", "nothing keeps a process from its work", report.worker, report.sentence))


def _missing(living: list[Worker]) -> Iterator[Found]:
    for kind in KINDS:
        if not any(worker.kind == kind for worker in living):
            sentence = f"No {kind} process is alive; start one."
            yield Found(Finding("error", "every kind of process lives", kind, sentence))


def _silent(worker: Worker) -> Found:
    sentence = f"It has not beaten for more than {settings.current().lease_seconds:g} s; what it owns goes back."
    finding = Finding("warning", "no lease of the dead", worker.id, sentence)
    return Found(finding, lambda: event_feed.publish(workers.release(worker.id, "lost")))


def _clocks(living: list[Worker]) -> Iterator[Found]:
    for worker in living:
        if abs(worker.clock_ahead) > CLOCKS_AGREE:
            way = "ahead of" if worker.clock_ahead > 0 else "behind"
            sentence = f"Its machine's clock is {abs(worker.clock_ahead):.0f} s {way} the database's, which it follows."
            sentence += " Due times are right all the same; its logs are not. Set that clock."
            yield Found(Finding("warning", "clocks agree", worker.id, sentence))


def _listening(living: list[Worker], depths: dict[str, int]) -> Iterator[Found]:
    """Where messages wait: a worker with room takes them, and there is some room."""
    with database.session() as session:
        now = session.scalar(select(func.clock_timestamp()))
    for kind, depth in depths.items():
        mine = [worker for worker in living if worker.kind == kind and worker.slots]
        if not depth or not mine or now is None:
            continue
        if all(worker.busy >= worker.slots for worker in mine):
            slots = sum(worker.slots for worker in mine)
            sentence = f"All {slots} slots of {len(mine)} worker(s) are taken and {depth} messages wait: start another."
            yield Found(Finding("info", "there are free slots", kind, sentence))
        oldest = now - timedelta(seconds=DEAF_SECONDS)
        for worker in mine:
            if worker.busy < worker.slots and (worker.taken_at or worker.started_at) < oldest:
                sentence = f"It lives and has room, but takes none of the {depth} messages in {kind}. If this stays "
                finding = Finding("warning", "every worker listens", worker.id, f"{sentence}after --fix, restart it.")
                yield Found(finding, partial(phases.listen_again, kind))


def _multiplied(depths: dict[str, int]) -> Iterator[Found]:
    """No queue holds many times more messages than there is work."""
    with database.session() as session:
        counted = session.execute(select(Step.queue, func.count()).where(Step.status == "ready").group_by(Step.queue))
        ready = {queue: number for queue, number in counted}
        sending = session.scalar(select(func.count()).where(Message.status.in_(("queued", "waiting")))) or 0
    depth, work = depths.get(celery_app.EXECUTION, 0), ready.get(celery_app.EXECUTION, 0)
    if depth > 100 + 3 * (work + sending):
        sentence = f"{depth} messages wait for {work} ready steps: harmless, but somebody rings too much."
        yield Found(Finding("warning", "messages do not multiply", celery_app.EXECUTION, sentence))
