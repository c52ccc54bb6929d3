"""Whether processes get on with their work: not only that they live, but that what waits is taken.

`perdure health` asks; a container's liveness check may ask of one kind on its own host.
"""

from datetime import datetime, timedelta

import redis
from sqlalchemy import func, select, text

from services import database, settings
from services.journal.why import DEAF_SECONDS
from services.journal.workers import Worker
from services.metrics import families, tally
from services.pipeline import celery_app

KINDS = (*celery_app.QUEUES, "scheduler")

# since when something has waited for a worker of each kind to take it
_WAITING = text("""
    select queue, min(rung_at) from steps where status = 'ready' and rung_at is not null group by 1
    union all
    select case phase when 'plan' then 'planning' else 'reflection' end, min(rung_at) from runs
    where phase in ('plan', 'reflect', 'remember') and phase_worker is null and paused_at is null
      and rung_at is not null and waits_for is null and due_at is null group by 1
""")


def faults(kinds: list[str], host: str | None = None) -> list[str]:
    """In a sentence each, what does not get on; none when all is well. host: only the processes of that one.

    Raises Unavailable when Postgres does not answer.
    """
    with database.session() as session:
        query = select(Worker).where(Worker.kind.in_(kinds))
        found = list(session.scalars(query.where(Worker.host == host) if host else query))
        now = session.scalar(select(func.clock_timestamp()))
        waiting = {kind: since for kind, since in session.execute(_WAITING)}
    assert now is not None
    lease = timedelta(seconds=settings.current().lease_seconds)
    said = []
    for kind in kinds:
        living = [worker for worker in found if worker.kind == kind and worker.beat_at > now - lease]
        if not living:
            said.append(f"No {kind} process {'of this host ' if host else ''}is alive.")
        said += [_of_worker(worker, waiting.get(kind), now) for worker in living]
    return [sentence for sentence in [*said, _of_sweeper(kinds)] if sentence]


def _of_worker(worker: Worker, waiting: datetime | None, now: datetime) -> str:
    """A worker that has room takes what waits."""
    long_ago = now - timedelta(seconds=DEAF_SECONDS)
    if waiting is None or waiting > long_ago or not worker.slots or worker.busy >= worker.slots:
        return ""
    if (worker.taken_at or worker.started_at) > long_ago:
        return ""
    since = (now - waiting).total_seconds()
    return f"{worker.id} lives and has room, but takes nothing, though work has waited for {since:.0f} s: restart it."


def _of_sweeper(kinds: list[str]) -> str:
    if "scheduler" not in kinds:
        return ""
    try:
        told = tally.living()
    except redis.RedisError:
        return "Redis does not answer."
    ages = [each[families.SWEEP_AGE.name] + each["age"] for each in told if families.SWEEP_AGE.name in each]
    longest = 10 + 5 * settings.current().sweep_seconds
    if ages and min(ages) > longest:
        return f"No sweep has ended well for {min(ages):.0f} s: look at the scheduler's log."
    return ""
