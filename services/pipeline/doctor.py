"""The doctor: checks the invariants over the whole database, the queues and the workers, and repairs what it can.

Called by `perdure doctor` and GET /api/doctor. The checks of single runs are queries in doctor_queries.py; those of the
system are in doctor_rounds.py. A healthy system has findings of severity `info` only.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import redis
from sqlalchemy import RowMapping, text

from services import database, logs
from services.errors import PerdureError, Unavailable
from services.journal import event_feed, surgery, workers
from services.pipeline import doctor_queries, doctor_rounds, operating, phases, sweeper
from services.pipeline.doctor_rounds import Finding, Found

log = logs.get(__name__)


def examine(*, tenant: str | None = None, fix: bool = False, everything: bool = False) -> list[Finding]:
    """All findings, the worst first; with fix=True after repairing what can be repaired.

    tenant: look only at its runs (queues and workers are everybody's). everything: check the events of all ended runs
    too, not only of those that ended within a day; that reads the whole event log.
    """
    try:
        found = [*_runs(tenant, everything), *doctor_rounds.findings(), *_counts(tenant)]
    except Unavailable as error:
        sentence = f"{error.detail} Runs stand still until it does; nothing that was accepted is lost."
        found = [Found(Finding("error", "Postgres answers", "postgres", sentence)), *doctor_rounds.without_postgres()]
    findings = [_treated(each, fix=fix) for each in found]
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(findings, key=lambda finding: (order[finding.severity], finding.invariant, finding.subject))


def _treated(found: Found, *, fix: bool) -> Finding:
    finding = replace(found.finding, repairable=found.repair is not None)
    if not fix or found.repair is None:
        return finding
    try:
        found.repair()
    except (PerdureError, redis.RedisError) as error:
        log.warning("A repair failed", invariant=finding.invariant, subject=finding.subject, error=str(error))
        return finding
    return replace(finding, repaired=True)


def _runs(tenant: str | None, everything: bool) -> Iterator[Found]:
    for check in doctor_queries.CHECKS:
        with database.session() as session:
            asked = {"tenant": tenant, "everything": everything}
            rows = list(session.execute(text(check.query), asked).mappings())
        for row in rows:
            subject = f"{row['run_id']}/{row['step_id']}" if row.get("step_id") else str(row["run_id"])
            explanation = check.explanation.format(**row)
            repair = _REPAIRS[check.repair] if check.repair else None
            yield Found(
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


def _counts(tenant: str | None) -> Iterator[Found]:
    """What waits for a person, as information."""
    for invariant, query, explanation in doctor_queries.COUNTS:
        with database.session() as session:
            number = session.scalar(text(query), {"tenant": tenant}) or 0
        if number:
            yield Found(Finding("info", invariant, str(number), explanation.format(number=number)))
