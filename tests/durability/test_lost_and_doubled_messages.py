"""A message is a doorbell: lost, doubled, late or early, it changes nothing but time."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from services import database
from services.journal import event_feed
from services.journal.runs import RunStatus
from services.pipeline import phases
from tests import history_checker, runs
from tests.stack import Stack


def test_a_run_whose_first_message_was_lost_is_rung_by_the_sweeper(workers: Stack) -> None:
    run_id = runs.start(runs.chain(3, tool="noop"), ring=False)

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED


def test_flushall_in_the_middle_of_runs_loses_and_doubles_nothing(workers: Stack, ledger: Path) -> None:
    started = [runs.start(runs.fan(4, seconds=0.3)) for _ in range(10)]
    runs.wait_until(lambda: sum(runs.ledger(ledger, started[0], "end").values()) >= 1)
    event_feed.client().flushall()

    ended = [runs.wait_for(run_id) for run_id in started]

    assert {run.status for run in ended} == {RunStatus.SUCCEEDED}
    for run_id in started:
        assert set(runs.ledger(ledger, run_id, "end").values()) == {1}
        runs.history(run_id)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_flushall_every_two_seconds_during_two_hundred_runs_loses_and_doubles_nothing(
    workers: Stack, ledger: Path
) -> None:
    shapes = [
        runs.fan(5, seconds=0.2),
        runs.chain(3, tool="waits", seconds=2.5),
        runs.fan(3, tool="verified_effect", seconds=0.1),
        runs.chain(2, tool="unsafe_effect", seconds=0.1),
    ]
    over = threading.Event()

    def flush() -> None:
        while not over.wait(2):
            event_feed.client().flushall()

    flushing = threading.Thread(target=flush, daemon=True)
    flushing.start()
    started = [runs.start(shapes[number % len(shapes)]) for number in range(200)]
    ended = [runs.wait_for(run_id, timeout=300) for run_id in started]
    over.set()
    flushing.join()

    assert {run.status for run in ended} == {RunStatus.SUCCEEDED}
    assert history_checker.faults(started, ledger) == []
    for run_id in started:
        assert max(runs.ledger(ledger, run_id, "end").values(), default=1) == 1


def test_every_message_doubled_runs_every_step_once(workers: Stack, ledger: Path) -> None:
    run_id = runs.start(runs.fan(3, seconds=0.2))
    for _ in range(5):
        phases.start(run_id)
        phases.grow_execution(run_id, ["s0", "s1", "s2", "join"])
        phases.ring(run_id, "reflect")
        phases.ring(run_id, "remember")

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert runs.ledger(ledger, run_id, "begin") == {"s0": 1, "s1": 1, "s2": 1}
    names = [event["name"] for event in runs.history(run_id)]
    assert names.count("plan.created") == names.count("answer.completed") == 1


def test_an_ended_run_ignores_whatever_still_rings(workers: Stack) -> None:
    run_id = runs.start(runs.chain(2, tool="noop"))
    runs.wait_for(run_id)
    before = runs.history(run_id)
    phases.start(run_id)
    phases.grow_execution(run_id, ["s0", "s1"])
    phases.ring(run_id, "reflect")
    other = runs.start(runs.chain(2, tool="noop"))
    runs.wait_for(other)

    assert runs.history(run_id) == before


def test_four_sweepers_at_once_ring_what_was_lost_and_never_get_in_each_others_way(
    workers: Stack, ledger: Path
) -> None:
    others = [workers.start("scheduler") for _ in range(3)]
    second = workers.start("execution")
    workers.wait_for_workers(["scheduler", "execution"])
    shapes = [runs.fan(4, seconds=0.1), runs.chain(3, tool="waits", seconds=1.5), runs.chain(2, tool="keyed_effect")]
    started = [runs.start(shape, ring=False) for shape in shapes * 12]
    runs.wait_until(lambda: sum(runs.ledger(ledger, started[0], "begin").values()) >= 1)
    second.kill()  # and a worker to be released, by whoever comes first

    assert {runs.wait_for(run_id, timeout=60).status for run_id in started} == {RunStatus.SUCCEEDED}
    assert history_checker.faults(started, ledger) == []
    for scheduler in others:
        scheduler.terminate()
        assert scheduler.wait(10) == 0
    told = (workers.logs / "scheduler.log").read_text()
    assert "deadlock" not in told
    with database.session() as session:
        often = "select max(rings) from steps where run_id = any (cast(:runs as uuid[]))"
        assert session.scalar(text(often), {"runs": started}) <= 3
