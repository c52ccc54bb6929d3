"""Pausing, forking and resuming under load: nothing runs that must not, nothing finished runs again."""

import time
from pathlib import Path

from services.journal import dead_letters, forks, steps, surgery
from services.journal.runs import RunStatus, parse_id
from services.pipeline import operating
from tests import runs
from tests.stack import Stack


def test_paused_runs_stand_still_under_load_and_then_end(workers: Stack, ledger: Path) -> None:
    started = [runs.start(runs.chain(6, seconds=0.2)) for _ in range(12)]
    runs.wait_until(lambda: all(runs.ledger(ledger, run_id, "end") for run_id in started))
    for run_id in started:
        operating.pause(runs.TENANT, run_id)
    time.sleep(1)  # what ran may end; nothing else may begin
    begun = [runs.ledger(ledger, run_id, "begin") for run_id in started]
    time.sleep(3)
    assert [runs.ledger(ledger, run_id, "begin") for run_id in started] == begun
    workers.kill("execution")
    workers.start("execution")
    for run_id in started:
        operating.resume(runs.TENANT, run_id)

    assert {runs.wait_for(run_id).status for run_id in started} == {RunStatus.SUCCEEDED}
    for run_id in started:
        assert set(runs.ledger(ledger, run_id, "end").values()) == {1}
        runs.history(run_id)


def test_a_fork_never_repeats_the_effects_of_the_prefix_that_it_shares(workers: Stack, ledger: Path) -> None:
    plan = runs.chain(30, seconds=0)
    run_id = runs.start(plan)
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    before = runs.history(run_id)
    fork_id = operating.fork(runs.TENANT, run_id, from_step="s20")

    fork = runs.wait_for(fork_id)

    assert fork.status == RunStatus.SUCCEEDED
    assert runs.ledger(ledger, fork_id, "begin") == {f"s{n}": 1 for n in range(20, 30)}
    assert set(runs.ledger(ledger, run_id, "begin").values()) == {1}
    assert runs.history(run_id) == before
    assert [event["name"] for event in runs.history(fork_id)].count("step.reused") == 20
    assert [str(run.id) for run in forks.lineage(fork).ancestors] == [run_id]


def test_a_dead_letter_is_resumed_after_the_worker_that_resumes_it_died_too(workers: Stack, ledger: Path) -> None:
    steps_of_it = [
        {"id": "first", "tool": "slow_effect", "arguments": {"seconds": 0}},
        {"id": "bad", "tool": "fails_at_first", "arguments": {"times": 99}, "dependsOn": ["first"]},
        {"id": "last", "tool": "slow_effect", "arguments": {"seconds": 2}, "dependsOn": ["bad"]},
    ]
    run_id = runs.start({"steps": steps_of_it})
    assert runs.wait_for(run_id).status == RunStatus.FAILED
    (letter,) = dead_letters.listed(runs.TENANT, dead_letters.Filter(run_id=parse_id(run_id)), limit=9)
    patches = {"bad": forks.Patch(arguments={"times": 0})}
    fork_id = operating.fork(runs.TENANT, run_id, patches=patches, resolution="resumed", letter=letter.id)
    runs.wait_until(lambda: runs.ledger(ledger, fork_id, "begin")["last"] == 1)
    workers.kill("execution")
    workers.start("execution")

    assert runs.wait_for(fork_id).status == RunStatus.SUCCEEDED
    assert runs.ledger(ledger, run_id, "end") == {"first": 1}
    assert runs.ledger(ledger, fork_id, "end") == {"last": 1}
    assert dead_letters.get(runs.TENANT, str(letter.id)).successor == parse_id(fork_id)


def test_an_unsafe_prefix_with_a_doubt_is_not_repeated_by_a_fork(workers: Stack, ledger: Path) -> None:
    run_id = runs.start({"steps": [{"id": "pay", "tool": "breaks_after_its_effect"}]})
    runs.wait_until(lambda: [step.status for step in steps.of_run(parse_id(run_id))] == ["in_doubt"])
    from services.journal import runs as journal_runs

    journal_runs.request_cancel(runs.TENANT, run_id)
    fork_id = operating.fork(runs.TENANT, run_id)
    operating.change_step(fork_id, lambda: surgery.resolve_as_done(runs.TENANT, fork_id, "pay", "it was paid"))

    assert runs.wait_for(fork_id).status == RunStatus.SUCCEEDED
    assert runs.ledger(ledger, run_id, "unsafe") == {"pay": 1}
    assert runs.ledger(ledger, fork_id, "unsafe") == {}


def test_a_step_overridden_while_it_runs_keeps_the_given_result(workers: Stack, ledger: Path) -> None:
    run_id = runs.start(runs.chain(2, seconds=1))
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "begin")["s0"] == 1)
    operating.change_step(run_id, lambda: surgery.override_step(runs.TENANT, run_id, "s0", {"step": "given"}))

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert steps.of_run(parse_id(run_id))[0].output == {"step": "given"}
    assert runs.ledger(ledger, run_id, "begin") == {"s0": 1, "s1": 1}
    runs.history(run_id)
