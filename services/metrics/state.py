"""What is the case now, asked of Postgres and Redis when somebody wants to know: depths, ages, leases, letters.

Every part is found by an index over what is live, so a long history costs nothing.
"""

import redis
from sqlalchemy import text

from services import database, settings
from services.errors import Unavailable
from services.journal import event_feed, queues
from services.metrics import families, tally
from services.metrics.families import Family
from services.pipeline import celery_app

Sample = tuple[Family, tuple[str, ...], float]

# name → a query whose columns are labels and, last, the value
_QUERIES: dict[Family, str] = {
    families.LIVE_RUNS: "select status::text, count(*) from runs where phase is not null group by 1",
    families.WAITING_WORK: """
        select phase::text, count(*) from runs
        where phase in ('plan', 'reflect', 'remember') and phase_worker is null and paused_at is null
          and waits_for is null and (due_at is null or due_at <= clock_timestamp()) group by 1
        union all select 'execute', count(*) from steps where status = 'ready' and coalesce(rung_at, now()) < parked()
    """,
    families.OLDEST_WORK: """
        select phase::text, extract(epoch from clock_timestamp() - min(coalesce(due_at, rung_at, created_at)))
        from runs
        where phase in ('plan', 'reflect', 'remember') and phase_worker is null and paused_at is null
          and waits_for is null and (due_at is null or due_at <= clock_timestamp())
          and coalesce(rung_at, now()) < parked() group by 1
        union all select 'execute', extract(epoch from clock_timestamp() - min(ready_at)) from steps
        where status = 'ready' and coalesce(rung_at, now()) < parked()
    """,
    families.LIVE_STEPS: """
        select status::text, count(*) from steps where status = 'running' group by 1
        union all select status::text, count(*) from steps where status = 'waiting' group by 1
        union all select status::text, count(*) from steps where status = 'in_doubt' group by 1
    """,
    families.OVERDUE: """
        select coalesce(extract(epoch from clock_timestamp() - min(due_at)), 0) from steps
        where status = 'waiting' and due_at <= clock_timestamp()
    """,
    families.DEAD_LETTERS: "select reason, count(*) from dead_letters where resolved_at is null group by 1",
    families.APPROVALS: "select count(*) from approvals where status = 'open' and kind in ('approval', 'question')",
    families.WORKERS: "select kind, count(*) from workers where beat_at > {recent} group by 1",
    families.SLOTS: "select kind, sum(slots) from workers where beat_at > {recent} and slots > 0 group by 1",
    families.BUSY: "select kind, sum(busy) from workers where beat_at > {recent} and slots > 0 group by 1",
    families.CONNECTIONS: """
        select coalesce(state, 'other'), count(*) from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' group by 1
    """,
    families.CONNECTIONS_MOST: "select setting::int from pg_settings where name = 'max_connections'",
}


def samples() -> list[Sample]:
    """All that can be found out; a part that does not answer is `perdure_up 0` and its metrics are missing."""
    found: list[Sample] = []
    for part, asked in (("postgres", _of_postgres), ("redis", _of_redis)):
        try:
            found += asked()
            found.append((families.UP, (part,), 1))
        except (Unavailable, redis.RedisError):
            found.append((families.UP, (part,), 0))
    return found


def _of_postgres() -> list[Sample]:
    recent = f"clock_timestamp() - make_interval(secs => {settings.current().lease_seconds})"
    with database.session() as session:
        session.execute(text("set local statement_timeout = '5s'"))
        return [
            (family, tuple(str(label) for label in labels), float(value))
            for family, query in _QUERIES.items()
            for *labels, value in session.execute(text(query.format(recent=recent)))
            if value is not None
        ]


def _of_redis() -> list[Sample]:
    depths = queues.depths(list(celery_app.QUEUES)) or {}
    found: list[Sample] = [(families.MESSAGES, (queue,), depth) for queue, depth in depths.items()]
    event_feed.client().ping()
    told = tally.living()
    found += [
        (family, (), sum(each.get(family.name, 0) for each in told))
        for family in (families.STREAM_CLIENTS, families.STREAM_WAITING)
    ]
    ages = [each[families.SWEEP_AGE.name] + each["age"] for each in told if families.SWEEP_AGE.name in each]
    return found + [(families.SWEEP_AGE, (), age) for age in sorted(ages)[:1]]
