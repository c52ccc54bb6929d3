"""Limits per key with real workers of which one is killed: never exceeded, and nothing is stuck."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from services import database
from services.flow import keys
from services.journal.runs import RunStatus
from tests import runs
from tests.stack import Stack

SECONDS = 0.2


@pytest.fixture
def limits(workers: Stack) -> Iterator[None]:
    yield
    with database.session() as session:
        session.execute(text("delete from flow_keys"))


def most_at_once(path: Path, run_ids: list[str], killed_at: float | None = None) -> int:
    """The most attempts that were between their beginning and their end at one moment, as the ledger has it.

    killed_at: an attempt that has a beginning and no end ended then, with its worker.
    """
    lines = [line.split() for line in path.read_text().splitlines()]
    mine = {(run, step, attempt, what): float(at) for run, step, attempt, what, at in lines if run in run_ids}
    moments: list[tuple[float, int]] = []
    for (run, step, attempt, what), at in mine.items():
        if what == "begin":
            end = mine.get((run, step, attempt, "end"), killed_at)
            assert end is not None, f"{step} began and never ended"
            moments += [(at, 1), (end, -1)]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def test_a_limit_is_never_exceeded_and_nothing_is_stuck_when_a_worker_is_killed(
    workers: Stack, ledger: Path, limits: None
) -> None:
    second = workers.start("execution")
    workers.wait_for_workers(["execution"])
    keys.set_limit(runs.TENANT, "tool:slow_effect", parallelism=4, rate=None, period=None)
    run_ids = [runs.start(runs.fan(10, seconds=SECONDS)) for _ in range(4)]
    runs.wait_until(lambda: sum(sum(runs.ledger(ledger, each, "end").values()) for each in run_ids) >= 8)
    second.kill()
    second.wait()
    with database.session() as session:
        killed_at = float(session.scalar(text("select extract(epoch from clock_timestamp())")) or 0)

    ended = [runs.wait_for(run_id, timeout=60) for run_id in run_ids]

    assert [run.status for run in ended] == [RunStatus.SUCCEEDED] * 4
    assert 2 <= most_at_once(ledger, run_ids, killed_at) <= 4
    for run_id in run_ids:
        runs.history(run_id)
        assert max(runs.ledger(ledger, run_id, "end").values()) == 1
    assert keys.get(runs.TENANT, "tool:slow_effect").running == 0
    assert keys.get(runs.TENANT, "tool:slow_effect").waiting == 0


def test_a_rate_is_kept_by_real_workers(workers: Stack, ledger: Path, limits: None) -> None:
    keys.set_limit(runs.TENANT, "tool:slow_effect", parallelism=None, rate=5, period=1)
    run_id = runs.start(runs.fan(15, seconds=0.01))

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    lines = [line.split() for line in ledger.read_text().splitlines()]
    begun = sorted(float(at) for run, _, _, what, at in lines if run == run_id and what == "begin")
    assert len(begun) == 15
    tolerance = 0.25  # the ledger is written a little after the start is counted
    assert all(later - earlier >= 1 - tolerance for earlier, later in zip(begun, begun[5:], strict=False))
