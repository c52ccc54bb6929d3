"""A backlog is no loss: twenty thousand ready steps do not multiply their messages, whoever sweeps how often."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from services import database
from services.journal import event_feed
from services.journal.runs import RunStatus
from services.pipeline import celery_app, phases
from tests import runs
from tests.stack import Stack

RUNS, WIDTH = 40, 499
STEPS = RUNS * WIDTH


@pytest.fixture
def three_schedulers(workers: Stack) -> Iterator[Stack]:
    workers.start("scheduler")
    workers.start("scheduler")
    yield workers
    for process in workers.alive("scheduler")[1:]:
        process.kill()


def depth() -> int:
    return int(event_feed.client().llen(celery_app.EXECUTION))


def rings(run_ids: list[str]) -> int:
    """How often the sweepers have rung steps of these runs."""
    with database.session() as session:
        query = text("select sum(rings) from steps where run_id = any (cast(:runs as uuid[])) and id <> 'join'")
        return int(session.scalar(query, {"runs": run_ids}) or 0)


def sweep_ms() -> float:
    """What one look for lost steps costs Postgres, in ms: the best of five."""
    explain = "explain (analyze, format json) select * from lost_steps('{execution}', '{}', 500)"
    with database.session() as session:
        return min(float(session.scalar(text(explain))[0]["Execution Time"]) for _ in range(5))


def attempts(run_ids: list[str]) -> int:
    with database.session() as session:
        query = text("select count(*) from attempts where run_id = any (cast(:runs as uuid[])) and step_id <> 'join'")
        return int(session.scalar(query, {"runs": run_ids}) or 0)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_backlog_does_not_multiply_its_messages_and_costs_the_sweeper_nothing(three_schedulers: Stack) -> None:
    workers = three_schedulers
    workers.kill("execution")
    started = [runs.start(runs.fan(WIDTH, tool="keyed_effect"), ring=False) for _ in range(RUNS)]
    for run_id in started:
        phases.grow_execution(run_id, [f"s{number}" for number in range(WIDTH)])
    waiting, rung = depth(), rings(started)
    time.sleep(15)
    assert waiting >= STEPS
    assert (depth(), rings(started)) == (waiting, rung)  # some forty-five sweeps later
    assert sweep_ms() < 5

    event_feed.client().flushall()  # now they are lost indeed, and rung again once
    runs.wait_until(lambda: depth() >= STEPS, timeout=120)
    time.sleep(10)
    assert depth() <= STEPS + 10
    assert rings(started) <= rung + STEPS + 10
    before = rings(started)

    workers.start("execution")
    mixed = [runs.start(runs.chain(20, tool="keyed_effect")) for _ in range(10)]  # steps that are run as they get ready
    ended = [runs.wait_for(run_id, timeout=300) for run_id in [*started, *mixed]]

    assert {run.status for run in ended} == {RunStatus.SUCCEEDED}
    assert attempts(started) == STEPS
    assert rings(started) - before < STEPS / 50
