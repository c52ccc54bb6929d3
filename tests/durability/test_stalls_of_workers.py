"""Stalls of those who do the work: none is there, or listens, or has room, or has the tool; or one hangs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services import database
from services.journal import attempts, steps
from services.journal import runs as journal_runs
from services.journal.runs import RunStatus, parse_id
from services.journal.why import Kind
from services.pipeline import celery_app, operating
from tests import runs
from tests.durability import stalls
from tests.stack import Stack

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _the_usual_execution_worker(workers: Stack) -> Iterator[None]:
    """Tests here start others; those that follow want the one of the stack."""
    yield
    workers.kill("execution")
    workers.ensure("execution")


def status_of(run_id: str, step_id: str) -> str:
    return {step.id: step.status for step in steps.of_run(parse_id(run_id))}[step_id]


def test_a_missing_process_of_each_kind_is_named(workers: Stack) -> None:
    for kind in ("planning", "reflection", "scheduler"):
        workers.kill(kind)
    planless = runs.start(request="What is 2 + 3?")
    answerless = runs.start(runs.chain(1, tool="noop"), request="Do nothing, and say so")
    sleeping = runs.start(runs.chain(1, tool="sleep", seconds=6))
    with database.session() as session:  # nobody is left who would notice the dead
        session.connection().exec_driver_sql("update workers set beat_at = now() - interval '9 s' where kind <> 'web'")

    stalls.becomes(planless, Kind.NO_WORKER, "planning worker", "start one")
    stalls.becomes(answerless, Kind.NO_WORKER, "reflection worker", "start one")
    stalls.becomes(sleeping, Kind.NO_WORKER, "scheduler", "start one")
    for kind in ("planning", "reflection", "scheduler"):
        assert stalls.found("every kind of process lives", kind).severity == "error"
        workers.start(kind)
    for run_id in (planless, answerless, sleeping):
        assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED


def test_a_tool_that_no_worker_has_is_named_and_the_step_waits_for_one_that_has(workers: Stack, ledger: Path) -> None:
    run_id = runs.start(runs.chain(2, tool="unsafe_effect", seconds=0), ring=False)
    workers.kill("execution")
    workers.start("execution", PERDURE_TOOLS="")
    workers.wait_for_workers(["execution"])
    stalls.becomes(run_id, Kind.MISSING_TOOL, "s0", "'unsafe_effect'", "start one")
    runs.wait_until(lambda: len(attempts.of_run(parse_id(run_id))) >= 2)

    assert "'unsafe_effect'" in stalls.found("the tools of live steps exist", f"{run_id}/s0").explanation
    assert {attempt.outcome for attempt in attempts.of_run(parse_id(run_id))} == {"handed_back"}
    workers.start("execution")
    workers.kill("execution", 15)
    workers.start("execution")
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert runs.ledger(ledger, run_id, "unsafe") == {"s0": 1, "s1": 1}
    runs.history(run_id)


def test_a_worker_that_lives_and_takes_no_message_is_named_and_listens_again(workers: Stack) -> None:
    control = celery_app.create("test").control
    asked = {"pattern": "execution*@*", "matcher": "glob", "reply": True, "timeout": 1}
    runs.wait_until(lambda: control.cancel_consumer("execution", **asked))
    workers.kill("scheduler")  # whose marks, too, nobody would take
    run_id = runs.start(runs.chain(2, tool="noop"))
    named = stalls.becomes(run_id, Kind.NOT_CONSUMING, "takes no message", "restart it", "doctor --fix")
    finding = stalls.found("every worker listens", named.worker, fix=True)

    assert (finding.severity, finding.repaired) == ("warning", True)
    assert runs.wait_for(run_id, timeout=15).status == RunStatus.SUCCEEDED
    workers.start("scheduler")


def test_workers_without_a_free_slot_are_named(workers: Stack) -> None:
    workers.kill("execution")
    workers.start("execution", EXECUTION_CONCURRENCY="2")
    workers.wait_for_workers(["execution"])
    taken = [runs.start(runs.chain(1, seconds=60)) for _ in range(2)]
    runs.wait_until(lambda: all(status_of(each, "s0") == "running" for each in taken))
    waiting = runs.start(runs.chain(1, tool="noop"))

    stalls.becomes(waiting, Kind.BUSY, "all 2 slots", "start another", "EXECUTION_CONCURRENCY")
    workers.start("execution")
    assert runs.wait_for(waiting, timeout=30).status == RunStatus.SUCCEEDED
    for run_id in taken:
        journal_runs.request_cancel(runs.TENANT, run_id)


def test_a_hung_tool_is_named_with_the_timeout_that_ends_it(workers: Stack, ledger: Path) -> None:
    hung = runs.start({"steps": [{"id": "h", "tool": "hangs", "timeout": 4, "retry": {"base": 60, "cap": 60}}]})
    runs.wait_until(lambda: runs.ledger(ledger, hung, "hang")["h"] == 1)
    stalls.becomes(hung, Kind.LEASE, "runs step h (hangs)", "its timeout of 4 s cuts it off")
    healthy = runs.start(runs.chain(2, tool="noop"))

    assert runs.wait_for(healthy, timeout=5).status == RunStatus.SUCCEEDED
    named = stalls.becomes(hung, Kind.RETRY_BACKOFF, "took longer than its timeout of 4 s")
    assert named.due_at
    assert stalls.found("what failed is tried again").severity == "info"
    operating.pause(runs.TENANT, hung)
    journal_runs.request_cancel(runs.TENANT, hung)


def test_a_phase_that_fails_is_named_with_what_it_said_and_when_it_is_tried_again(workers: Stack) -> None:
    workers.kill("execution")
    with database.session() as session:
        session.connection().exec_driver_sql("delete from tools")
    run_id = runs.start(request="What is 2 + 3?")
    named = stalls.becomes(run_id, Kind.PHASE_RETRY, "No execution worker has registered its tools yet")

    assert named.due_at
    assert stalls.found("phases that failed are tried again").severity == "info"
    workers.start("execution")
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
