"""Workers whose clocks are half a minute off, both ways: the database's clock decides leases and due times."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.journal import attempts, steps
from services.journal import workers as living
from services.journal.runs import RunStatus, parse_id
from services.pipeline import doctor
from tests import runs
from tests import stack as stacks
from tests.stack import ROOT, Stack

AHEAD = {"planning": (30,), "execution": (30, -30), "reflection": (-30,), "scheduler": (30, -30)}


@pytest.fixture(scope="module")
def _skewed(_workers: Stack) -> Iterator[Stack]:
    for kind, clocks in AHEAD.items():
        _workers.kill(kind)
        for ahead in clocks:
            _workers.start(kind, CLOCK_AHEAD=str(ahead), PYTHONPATH=f"{ROOT}/tests/skewed_clock:{ROOT}")
    yield _workers
    for kind in AHEAD:
        _workers.kill(kind)


@pytest.fixture
def skewed(_skewed: Stack) -> Stack:
    """Two execution workers and two schedulers, of which one each is half a minute ahead and one behind."""
    _skewed.wait_for_workers(list(stacks.WORKERS))
    runs.wait_until(lambda: len(clocks_that_are_off()) >= 5)  # one gets killed here
    return _skewed


def clocks_that_are_off() -> list[str]:
    return [each.explanation for each in doctor.examine() if each.invariant == "clocks agree"]


def test_joins_timers_and_retries_go_on_and_no_lease_is_lost(skewed: Stack, ledger: Path) -> None:
    shapes = [
        runs.fan(6, seconds=0.3),
        runs.chain(4, tool="keyed_effect", seconds=0.1),
        runs.chain(3, tool="waits", seconds=1),
        runs.chain(1, tool="fails_at_first", times=2),
        runs.chain(2, tool="verified_effect", seconds=0.2),
    ]
    started = [runs.start(shape) for shape in shapes * 3]
    started += [runs.start(request="What is 17% of 2340?") for _ in range(3)]

    assert {runs.wait_for(run_id, timeout=30).status for run_id in started} == {RunStatus.SUCCEEDED}
    outcomes = {attempt.outcome for run_id in started for attempt in attempts.of_run(parse_id(run_id))}
    assert outcomes <= {"succeeded", "waiting", "retry"}
    for run_id in started:
        runs.history(run_id)
        assert set(runs.ledger(ledger, run_id, "end").values()) <= {1}


def test_a_wait_until_a_moment_ends_at_that_moment_by_the_databases_clock(skewed: Stack) -> None:
    at = datetime.now(UTC) + timedelta(seconds=4)  # this process, and Postgres beside it, have the right time
    started = [runs.start(runs.chain(1, tool="waits_until", at=at.isoformat())) for _ in range(8)]

    for run_id in started:
        runs.wait_for(run_id)
        (step,) = steps.of_run(parse_id(run_id))
        assert step.finished_at
        assert -0.5 <= (step.finished_at - at).total_seconds() < 4


def test_a_killed_worker_is_noticed_as_fast_as_ever_and_nobody_else_is_taken_for_dead(
    skewed: Stack, ledger: Path
) -> None:
    before = {worker.id for worker in living.alive()}
    run_id = runs.start(runs.fan(12, seconds=0.5))
    runs.wait_until(lambda: sum(runs.ledger(ledger, run_id, "begin").values()) >= 6)
    victim = skewed.alive("execution")[0]
    victim.kill()
    victim.wait()

    assert runs.wait_for(run_id, timeout=12).status == RunStatus.SUCCEEDED
    gone = before - {worker.id for worker in living.alive()}
    assert [worker.split(":")[1] for worker in gone] == [str(victim.pid)]
    assert set(runs.ledger(ledger, run_id, "end").values()) == {1}


def test_the_doctor_names_the_clocks_that_are_off(skewed: Stack) -> None:
    told = clocks_that_are_off()

    assert any(re.search("(29|30|31) s ahead of the database's", sentence) for sentence in told), told
    assert any(re.search("(29|30|31) s behind the database's", sentence) for sentence in told), told
