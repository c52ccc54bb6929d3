"""SIGTERM is a deploy: the worker finishes what it can, hands the rest back, and nothing counts as a failure."""

import contextlib
import signal
import time
from pathlib import Path

import pytest

from services.journal import attempts
from services.journal.runs import RunStatus, parse_id
from tests import history_checker, runs
from tests import stack as stacks
from tests.stack import Stack


def test_a_stopped_worker_ends_after_its_current_step_and_another_goes_on(workers: Stack, ledger: Path) -> None:
    run_id = runs.start(runs.chain(6, seconds=0.5))
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "begin")["s1"] == 1)
    (first,) = workers.alive("execution")
    begun = time.monotonic()
    first.send_signal(signal.SIGTERM)
    first.send_signal(signal.SIGTERM)
    workers.start("execution")

    assert first.wait(30) == 0
    assert time.monotonic() - begun < 15
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert set(runs.ledger(ledger, run_id, "begin").values()) == {1}
    assert {attempt.outcome for attempt in attempts.of_run(parse_id(run_id))} == {"succeeded"}


def test_a_step_longer_than_the_drain_is_handed_back_and_runs_elsewhere(workers: Stack, ledger: Path) -> None:
    run_id = runs.start(runs.chain(1, seconds=5))
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "begin")["s0"] == 1)
    (first,) = workers.alive("execution")
    first.send_signal(signal.SIGTERM)
    workers.start("execution")

    assert first.wait(10) == 0
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "begin")["s0"] == 2)
    assert [attempt.outcome for attempt in attempts.of_run(parse_id(run_id))] == ["handed_back"]
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED


@pytest.mark.parametrize("pause", [pytest.param(0.0, marks=pytest.mark.slow), 0.6])
def test_all_workers_that_get_sigterm_twice_under_load_end_in_time_and_nothing_is_lost_or_repeated(
    workers: Stack, ledger: Path, pause: float
) -> None:
    started = [runs.start(runs.fan(5, seconds=0.3)) for _ in range(8)]
    started += [runs.start(runs.chain(3, tool="unsafe_effect", seconds=0.3)) for _ in range(4)]
    started += [runs.start(request="What is 17% of 2340?") for _ in range(4)]
    runs.wait_until(lambda: sum(runs.ledger(ledger, started[0], "end").values()) >= 1)
    stopped = [process for kind in stacks.WORKERS for process in workers.alive(kind)]
    begun = time.monotonic()
    for process in stopped:
        process.send_signal(signal.SIGTERM)
    time.sleep(pause)
    for process in stopped:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    codes = [process.wait(30) for process in stopped]
    took = time.monotonic() - begun
    workers.ensure(*stacks.WORKERS)

    assert codes == [0] * len(stopped)
    assert took < 15  # the drain is three seconds here
    assert {runs.wait_for(run_id).status for run_id in started} == {RunStatus.SUCCEEDED}
    assert history_checker.faults(started, ledger) == []
    outcomes = {attempt.outcome for run_id in started for attempt in attempts.of_run(parse_id(run_id))}
    assert outcomes <= {"succeeded", "handed_back"}
