"""kill -9 of any worker in the middle of a run: the run ends, and no finished step runs again."""

from pathlib import Path

import pytest

from services.journal import attempts, claims, steps, surgery
from services.journal import workers as living
from services.journal.runs import RunStatus, parse_id
from services.pipeline import operating
from tests import runs
from tests.stack import Stack


def test_an_execution_worker_killed_in_the_middle_costs_only_the_steps_in_flight(workers: Stack, ledger: Path) -> None:
    run_id = runs.start(runs.fan(12, seconds=0.4))
    runs.wait_until(lambda: sum(runs.ledger(ledger, run_id, "begin").values()) >= 6)
    workers.kill("execution")
    ended_before = runs.ledger(ledger, run_id, "end")
    workers.start("execution")

    run = runs.wait_for(run_id)

    assert run.status == RunStatus.SUCCEEDED
    assert runs.history(run_id)[-1]["name"] == "run.succeeded"
    done = {step.id for step in steps.of_run(parse_id(run_id)) if step.status == "succeeded"}
    assert len(done) == 13
    begun = runs.ledger(ledger, run_id, "begin")
    assert all(begun[step] == 1 for step in begun if step not in ended_before and begun[step] < 2)
    assert max(begun.values()) <= 2


@pytest.mark.parametrize("kind", ["planning", "execution", "reflection", "scheduler"])
def test_a_run_started_while_a_worker_kind_is_dead_ends_once_it_is_back(workers: Stack, kind: str) -> None:
    workers.kill(kind)
    run_id = runs.start(request="What is 2 + 3?")
    workers.start(kind)

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    runs.history(run_id)


def test_one_of_two_execution_workers_killed_leaves_its_work_to_the_other(workers: Stack, ledger: Path) -> None:
    second = workers.start("execution")
    workers.wait_for_workers(["execution"])
    run_id = runs.start(runs.fan(20, seconds=0.4))
    runs.wait_until(lambda: sum(runs.ledger(ledger, run_id, "begin").values()) >= 8)
    second.kill()

    run = runs.wait_for(run_id)

    assert run.status == RunStatus.SUCCEEDED
    finished_twice = [step for step, times in runs.ledger(ledger, run_id, "end").items() if times > 1]
    assert finished_twice == []
    runs.history(run_id)


def test_a_step_that_kills_its_worker_each_time_is_given_up(workers: Stack, ledger: Path) -> None:
    run_id = runs.start({"steps": [{"id": "bad", "tool": "kills_its_worker"}]})
    for _ in range(2):
        runs.wait_until(lambda: not workers.alive("execution"))
        workers.start("execution")

    run = runs.wait_for(run_id)

    assert run.status == RunStatus.FAILED
    assert runs.ledger(ledger, run_id, "poison") == {"bad": 2}
    assert "died" in run.error["detail"]


def test_an_unsafe_step_is_never_silently_repeated_but_waits_for_a_person(workers: Stack, ledger: Path) -> None:
    run_id = runs.start({"steps": [{"id": "pay", "tool": "unsafe_effect"}]})
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "unsafe")["pay"] == 1)
    workers.kill("execution")
    workers.start("execution")

    runs.wait_until(lambda: [step.status for step in steps.of_run(parse_id(run_id))] == ["in_doubt"])
    operating.change_step(run_id, lambda: surgery.resolve_as_done(runs.TENANT, run_id, "pay", {"done": True}))

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert runs.ledger(ledger, run_id, "unsafe") == {"pay": 1}
    runs.history(run_id)


def test_a_claim_that_commits_after_its_worker_was_released_is_found(workers: Stack) -> None:
    workers.kill("execution")
    runs.wait_until(lambda: not any(worker.kind == "execution" for worker in living.alive()))
    run_id = runs.start(runs.chain(2, tool="noop"), ring=False)
    assert claims.take(run_id, "s0", "execution@nowhere:1:0.00")
    workers.start("execution")

    assert runs.wait_for(run_id, timeout=20).status == RunStatus.SUCCEEDED
    assert [attempt.outcome for attempt in attempts.of_step(parse_id(run_id), "s0")] == ["lost", "succeeded"]
