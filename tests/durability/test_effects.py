"""Effects are honest: what can be asked is asked and not repeated; what can't be known waits for a person."""

from pathlib import Path

import pytest

from services.journal import attempts, steps, surgery
from services.journal.runs import RunStatus, parse_id
from services.pipeline import operating
from tests import runs
from tests.stack import Stack


def step_of(run_id: str) -> steps.Step:
    return steps.of_run(parse_id(run_id))[0]


def in_doubt(run_id: str) -> bool:
    found = steps.of_run(parse_id(run_id))
    return bool(found) and found[0].status == "in_doubt"


def test_a_worker_killed_after_a_verifiable_effect_leads_to_a_question_and_no_second_effect(
    workers: Stack, ledger: Path
) -> None:
    run_id = runs.start({"steps": [{"id": "send", "tool": "verified_effect"}]})
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "verified")["send"] == 1)
    workers.kill("execution")
    workers.start("execution")

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert runs.ledger(ledger, run_id, "verified") == {"send": 1}
    assert runs.ledger(ledger, run_id, "ask") == {"send": 1}
    assert step_of(run_id).output == {"found": True}


def test_a_worker_killed_while_it_asks_asks_again(workers: Stack, ledger: Path) -> None:
    arguments = {"seconds": 30, "ask_seconds": 2}
    run_id = runs.start({"steps": [{"id": "send", "tool": "verified_effect", "arguments": arguments}]})
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "verified")["send"] == 1)
    for asked in (1, 2):
        workers.kill("execution")
        workers.start("execution")
        runs.wait_until(lambda asked=asked: runs.ledger(ledger, run_id, "ask")["send"] == asked, timeout=40)

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert runs.ledger(ledger, run_id, "verified") == {"send": 1}
    assert [attempt.outcome for attempt in attempts.of_run(parse_id(run_id))] == ["lost", "lost", "succeeded"]


def test_an_unsafe_tool_that_breaks_unexpectedly_is_not_tried_again(workers: Stack, ledger: Path) -> None:
    plan = {"steps": [{"id": "pay", "tool": "breaks_after_its_effect"}, {"id": "then", "tool": "noop"}]}
    run_id = runs.start(plan)
    runs.wait_until(lambda: in_doubt(run_id))
    operating.change_step(run_id, lambda: surgery.skip_step(runs.TENANT, run_id, "pay"))

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert runs.ledger(ledger, run_id, "unsafe") == {"pay": 1}
    assert step_of(run_id).status == "skipped"


@pytest.mark.parametrize(("fails", "times", "ends"), [("retryable", 2, "succeeded"), ("failed", 1, "failed")])
def test_what_an_unsafe_tool_says_on_purpose_is_believed(
    workers: Stack, ledger: Path, fails: str, times: int, ends: str
) -> None:
    run_id = runs.start({"steps": [{"id": "pay", "tool": "breaks_after_its_effect", "arguments": {"fails": fails}}]})

    assert runs.wait_for(run_id).status == ends
    assert runs.ledger(ledger, run_id, "unsafe") == {"pay": times}


def test_a_doubt_resolved_as_not_done_runs_once_more(workers: Stack, ledger: Path) -> None:
    run_id = runs.start(
        {"steps": [{"id": "pay", "tool": "unsafe_effect", "arguments": {"seconds": 1}, "timeout": 0.3}]}
    )
    runs.wait_until(lambda: in_doubt(run_id))
    first = step_of(run_id)
    operating.change_step(run_id, lambda: surgery.resolve_as_not_done(runs.TENANT, run_id, "pay"))
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "unsafe")["pay"] == 2)
    runs.wait_until(lambda: in_doubt(run_id))
    operating.change_step(run_id, lambda: surgery.resolve_as_done(runs.TENANT, run_id, "pay", "paid"))

    assert first.error and first.error["reason"] == "timed_out"
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert step_of(run_id).output == "paid"


@pytest.mark.slow
def test_a_storm_of_kills_doubles_no_effect_that_can_be_asked_about_and_none_that_is_unsafe(
    workers: Stack, ledger: Path
) -> None:
    each = [("verified_effect", f"v{n}") for n in range(4)] + [("unsafe_effect", f"u{n}") for n in range(4)]
    plan = {"steps": [{"id": step, "tool": tool, "arguments": {"seconds": 2}} for tool, step in each]}
    started: list[str] = []
    for _ in range(3):
        started += [runs.start(plan) for _ in range(2)]
        runs.wait_until(lambda run_id=started[-1]: sum(runs.ledger(ledger, run_id, "unsafe").values()) >= 1)
        workers.kill("execution")
        workers.start("execution")
        workers.wait_for_workers(["execution"])
    doubts = 0
    for run_id in started:
        runs.wait_until(lambda run_id=run_id: unfinished(run_id) <= {"in_doubt"}, timeout=60)
        for step in steps.of_run(parse_id(run_id)):
            if step.status == "in_doubt":
                doubts += 1
                operating.change_step(run_id, lambda at=(run_id, step.id): surgery.resolve_as_done(runs.TENANT, *at, 1))

    assert {runs.wait_for(run_id).status for run_id in started} == {RunStatus.SUCCEEDED}
    for run_id in started:
        assert runs.ledger(ledger, run_id, "verified") == {f"v{n}": 1 for n in range(4)}
        unsafe = runs.ledger(ledger, run_id, "unsafe")  # a worker may die between the claim and the effect
        assert max(unsafe.values(), default=0) <= 1, unsafe
        runs.history(run_id)
    assert doubts > 0


def unfinished(run_id: str) -> set[str]:
    return {step.status for step in steps.of_run(parse_id(run_id))} - {"succeeded"}
