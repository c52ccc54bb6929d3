"""SIGTERM is a deploy: the worker finishes what it can, hands the rest back, and nothing counts as a failure."""

import signal
import time
from pathlib import Path

from services.journal import attempts
from services.journal.runs import RunStatus, parse_id
from tests import runs
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
