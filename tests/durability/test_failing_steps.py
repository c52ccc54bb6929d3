"""Retries, timeouts and cancellation: what an attempt's end leads to."""

from pathlib import Path

import pytest

from services.journal import attempts, steps
from services.journal import runs as journal_runs
from services.journal.runs import RunStatus, parse_id
from tests import runs
from tests.stack import Stack


def test_a_step_that_breaks_is_tried_again_with_a_pause(workers: Stack, ledger: Path) -> None:
    run_id = runs.start({"steps": [{"id": "s1", "tool": "fails_at_first", "arguments": {"times": 2}}]})

    run = runs.wait_for(run_id)

    assert (run.status, run.error) == (RunStatus.SUCCEEDED, None)
    assert [attempt.outcome for attempt in attempts.of_run(parse_id(run_id))] == ["retry", "retry", "succeeded"]


def test_exhausted_attempts_fail_the_run_and_skip_what_follows(workers: Stack) -> None:
    plan = {
        "steps": [
            {"id": "s1", "tool": "fails_at_first", "arguments": {"times": 99}},
            {"id": "s2", "tool": "noop", "dependsOn": ["s1"]},
            {"id": "s3", "tool": "noop", "dependsOn": ["s2"]},
        ]
    }
    run_id = runs.start(plan)

    run = runs.wait_for(run_id)

    assert run.status == RunStatus.FAILED
    assert "s1" in run.error["detail"]
    assert {step.id: step.status for step in steps.of_run(parse_id(run_id))} == {
        "s1": "failed",
        "s2": "skipped",
        "s3": "skipped",
    }


def test_a_hung_tool_costs_its_timeout_and_not_the_worker(workers: Stack, ledger: Path) -> None:
    hung = [runs.start({"steps": [{"id": "s1", "tool": "hangs"}]}) for _ in range(20)]
    healthy = runs.start(runs.chain(3, tool="noop"))

    assert runs.wait_for(healthy).status == RunStatus.SUCCEEDED
    assert {runs.wait_for(run_id).status for run_id in hung} == {RunStatus.FAILED}


def test_cancel_stops_what_has_not_started_and_keeps_what_is_done(workers: Stack, ledger: Path) -> None:
    run_id = runs.start(runs.chain(10, seconds=0.3))
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "end")["s1"] == 1)
    journal_runs.request_cancel(runs.TENANT, run_id)

    run = runs.wait_for(run_id, timeout=5)

    assert run.status == RunStatus.CANCELLED
    assert sum(runs.ledger(ledger, run_id, "begin").values()) < 10
    found = {step.id: step.status for step in steps.of_run(parse_id(run_id))}
    assert found["s1"] == "succeeded"
    assert found["s9"] == "cancelled"
    runs.history(run_id)


@pytest.mark.slow
def test_hung_tools_in_every_slot_and_more_leave_the_worker_free_once_their_time_is_up(workers: Stack) -> None:
    workers.kill("execution")
    workers.start("execution", EXECUTION_CONCURRENCY="4")
    workers.wait_for_workers(["execution"])
    hung = [runs.start({"steps": [{"id": "s1", "tool": "hangs"}]}) for _ in range(12)]  # three times all slots
    healthy = runs.start(runs.chain(3, seconds=0.1))

    assert runs.wait_for(healthy, timeout=25).status == RunStatus.SUCCEEDED
    assert {runs.wait_for(run_id).status for run_id in hung} == {RunStatus.FAILED}
    assert len(workers.alive("execution")) == 1
    workers.kill("execution")


def test_a_worker_with_too_many_hung_tools_makes_room_for_a_fresh_one(workers: Stack, ledger: Path) -> None:
    workers.kill("execution")
    tired = workers.start("execution", PERDURE_MAX_HUNG_TOOLS="3")
    workers.wait_for_workers(["execution"])
    hung = [runs.start({"steps": [{"id": "s1", "tool": "hangs"}]}) for _ in range(3)]
    busy = runs.start(runs.chain(12, seconds=0.3))

    assert tired.wait(30) == 0
    workers.start("execution")
    assert runs.wait_for(busy).status == RunStatus.SUCCEEDED
    assert set(runs.ledger(ledger, busy, "begin").values()) == {1}
    assert {runs.wait_for(run_id).status for run_id in hung} == {RunStatus.FAILED}


@pytest.mark.slow
def test_a_call_in_c_that_stops_the_whole_process_costs_that_process_and_no_run(workers: Stack, ledger: Path) -> None:
    (gripped,) = workers.alive("execution")
    neighbour = runs.start(runs.chain(30, seconds=0.3))
    runs.wait_until(lambda: runs.ledger(ledger, neighbour, "end")["s1"] == 1)
    run_id = runs.start({"steps": [{"id": "c", "tool": "never_lets_go"}]})
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "gripped")["c"] == 1)
    second = workers.start("execution")

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert runs.wait_for(neighbour).status == RunStatus.SUCCEEDED
    assert runs.ledger(ledger, run_id, "gripped") == {"c": 2}
    assert gripped.wait(60) == 1  # long before the call would have come back
    assert second.poll() is None
    assert "never_lets_go" in (workers.logs / "execution.log").read_text()  # where it hung
