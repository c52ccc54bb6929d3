"""The doctor: checks the invariants over the whole database, the queues and the workers, and repairs what it can.

Called by `perdure doctor` and GET /api/doctor. The checks of single runs are queries in doctor_queries.py; those of the
system are here. A healthy system has findings of severity `info` only.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import redis
from sqlalchemy import RowMapping, func, select, text

from services import database, logs, settings
from services.errors import PerdureError
from services.journal import event_feed, surgery, workers
from services.journal.steps import Step
from services.journal.workers import Worker
from services.pipeline import celery_app, doctor_queries, operating, phases, sweeper

KINDS = ("planning", "execution", "reflection", "scheduler")
Severity = Literal["error", "warning", "info"]

log = logs.get(__name__)


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
class _Found:
    finding: Finding
    repair: Callable[[], None] | None = None


def examine(*, tenant: str | None = None, fix: bool = False, everything: bool = False) -> list[Finding]:
    """All findings, the worst first; with fix=True after repairing what can be repaired.

    tenant: look only at its runs (queues and workers are everybody's). everything: check the events of all ended runs
    too, not only of those that ended within a day; that reads the whole event log.
    """
    found = [*_runs(tenant, everything), *_workers(), *_queues(), *_counts(tenant)]
    findings = [_treated(each, fix=fix) for each in found]
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(findings, key=lambda finding: (order[finding.severity], finding.invariant, finding.subject))


def _treated(found: _Found, *, fix: bool) -> Finding:
    finding = replace(found.finding, repairable=found.repair is not None)
    if not fix or found.repair is None:
        return finding
    try:
        found.repair()
    except (PerdureError, redis.RedisError) as error:
        log.warning("A repair failed", invariant=finding.invariant, subject=finding.subject, error=str(error))
        return finding
    return replace(finding, repaired=True)


def _runs(tenant: str | None, everything: bool) -> Iterator[_Found]:
    for check in doctor_queries.CHECKS:
        with database.session() as session:
            asked = {"tenant": tenant, "everything": everything}
            rows = list(session.execute(text(check.query), asked).mappings())
        for row in rows:
            subject = f"{row['run_id']}/{row['step_id']}" if row.get("step_id") else str(row["run_id"])
            explanation = check.explanation.format(**row)
            repair = _REPAIRS[check.repair] if check.repair else None
            yield _Found(
                Finding(check.severity, check.invariant, subject, explanation),
                _bound(repair, row) if repair else None,
            )


def _bound(repair: Callable[[RowMapping], None], row: RowMapping) -> Callable[[], None]:
    return lambda: repair(row)


def _mend(row: RowMapping) -> None:
    run_id = str(row["run_id"])
    answer = database.call("mend_run", run_id)
    operating.carry_on(run_id, surgery.changed(answer, f"There is no run {run_id}."))


def _release(row: RowMapping) -> None:
    event_feed.publish(workers.release(row["worker"], "lost"))


def _ring(row: RowMapping) -> None:
    if row.get("step_id"):
        phases.grow_execution(str(row["run_id"]), [row["step_id"]])
    else:
        phases.ring(str(row["run_id"]), row["phase"])


def _sweep(_row: RowMapping) -> None:
    sweeper.sweep()


_REPAIRS: dict[str, Callable[[RowMapping], None]] = {
    "mend": _mend,
    "release": _release,
    "ring": _ring,
    "sweep": _sweep,
}


def _workers() -> Iterator[_Found]:
    """Each kind has a living process, and no registered process is silent."""
    silent = set(workers.overdue(settings.current().lease_seconds))
    found = workers.alive()
    for kind in KINDS:
        if not any(worker.kind == kind and worker.id not in silent for worker in found):
            yield _Found(
                Finding("error", "every kind of process lives", kind, f"No {kind} process is alive; start one.")
            )
    for worker in found:
        if worker.id in silent:
            yield _Found(
                Finding(
                    "warning",
                    "no lease of the dead",
                    worker.id,
                    f"It has not beaten for more than {settings.current().lease_seconds:g} s; what it owns goes back.",
                ),
                _give_back(worker),
            )


def _give_back(worker: Worker) -> Callable[[], None]:
    return lambda: event_feed.publish(workers.release(worker.id, "lost"))


def _queues() -> Iterator[_Found]:
    """Redis answers, and no queue holds many times more messages than there is work."""
    names = (celery_app.PLANNING, celery_app.EXECUTION, celery_app.REFLECTION)
    try:
        depths: dict[str, Any] = {name: event_feed.client().llen(name) for name in names}
    except redis.RedisError as error:
        sentence = f"Redis does not answer: {error}. Runs stand still until it does; nothing is lost."
        yield _Found(Finding("error", "the broker answers", "redis", sentence))
        return
    if settings.current().broker != settings.current().redis:
        return
    with database.session() as session:
        counted = session.execute(select(Step.queue, func.count()).where(Step.status == "ready").group_by(Step.queue))
        ready = {queue: number for queue, number in counted}
    depth, work = depths[celery_app.EXECUTION], ready.get(celery_app.EXECUTION, 0)
    if depth > 100 + 3 * work:
        sentence = f"{depth} messages wait for {work} ready steps: harmless, but somebody rings too much."
        yield _Found(Finding("warning", "messages do not multiply", celery_app.EXECUTION, sentence))


def _counts(tenant: str | None) -> Iterator[_Found]:
    """What waits for a person, as information."""
    for invariant, query, explanation in doctor_queries.COUNTS:
        with database.session() as session:
            number = session.scalar(text(query), {"tenant": tenant}) or 0
        if number:
            yield _Found(Finding("info", invariant, str(number), explanation.format(number=number)))
