"""Steps that wait for a signal hold no worker and miss none: sent before, during, doubled, to one run or to all."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from services.journal import signals, steps
from services.pipeline import operating
from tests import runs
from tests.stack import Stack


def waits(event: str, name: str = "wait", after: str = "", **more: Any) -> dict[str, Any]:
    arguments = {"event": event, **more}
    return {"id": name, "tool": "wait_for_event", "arguments": arguments, "dependsOn": after.split()}


def send(event: str, data: Any = None, run_id: str | None = None) -> list[tuple[str, list[str]]]:
    _, woken = signals.send(runs.TENANT, event, data, run_id=run_id)
    for each in woken:
        operating.carry_on(each.run_id, each.changed)
    return [(each.run_id, each.steps) for each in woken]


def sleeping(run_id: str, step_id: str = "wait") -> None:
    run = runs.runs.parse_id(run_id)
    runs.wait_until(lambda: {step.id: step.status for step in steps.of_run(run)}[step_id] == "waiting")


def output(run_id: str, step_id: str = "wait") -> Any:
    run = runs.wait_for(run_id)
    return {step.id: step.output for step in steps.of_run(run.id)}[step_id]


def test_a_waiting_step_is_woken_with_the_data_and_the_sender_told_whom(workers: Stack) -> None:
    event = f"paid-{uuid4()}"
    run_id = runs.start({"steps": [waits(event)]})
    sleeping(run_id)
    woken = send(event, {"amount": 5})

    assert woken == [(run_id, ["wait"])]
    assert (output(run_id)["data"], output(run_id)["timedOut"]) == ({"amount": 5}, False)


def test_a_signal_that_comes_before_its_wait_is_found_by_run_and_by_name(workers: Stack) -> None:
    event = f"early-{uuid4()}"
    nap = {"id": "nap", "tool": "sleep", "arguments": {"seconds": 0.5}}
    by_run, by_name = (runs.start({"steps": [nap, waits(f"{event}-{how}", after="nap")]}) for how in ("run", "name"))
    told = [send(f"{event}-run", 1, by_run), send(f"{event}-name", 2)]

    assert told == [[], []]
    assert (output(by_run)["data"], output(by_name)["data"]) == (1, 2)


def test_a_signal_that_woke_nobody_is_found_by_a_run_that_begins_later(workers: Stack) -> None:
    event = f"order-{uuid4()}"
    send(event, "before")
    late = runs.start({"steps": [waits(event)]})
    assert output(late)["data"] == "before"

    another = runs.start({"steps": [waits(event, timeout=0.5)]})
    assert output(another)["timedOut"] is True


def test_one_signal_wakes_a_wait_of_every_run_and_the_next_wait_takes_the_next_one(workers: Stack) -> None:
    event = f"tick-{uuid4()}"
    plan = {"steps": [waits(event, "one"), waits(event, "two", "one")]}
    both = [runs.start(plan) for _ in range(2)]
    for run_id in both:
        sleeping(run_id, "one")
    first = send(event, 1)
    for run_id in both:
        sleeping(run_id, "two")
    second = send(event, 2)

    assert sorted(first) == sorted((run_id, ["one"]) for run_id in both)
    assert sorted(second) == sorted((run_id, ["two"]) for run_id in both)
    assert [(output(run_id, "one")["data"], output(run_id, "two")["data"]) for run_id in both] == [(1, 2)] * 2


def test_signals_that_race_with_their_waits_are_never_lost(workers: Stack) -> None:
    events = [f"race-{uuid4()}" for _ in range(30)]
    with ThreadPoolExecutor(4) as pool:
        started = [runs.start({"steps": [waits(event)]}) for event in events]
        sent = [pool.submit(send, event, number) for number, event in enumerate(events)]
    assert all(future.exception() is None for future in sent)

    assert [output(run_id)["data"] for run_id in started] == list(range(30))


def test_the_time_of_a_wait_ends_it(workers: Stack) -> None:
    began = time.monotonic()
    run_id = runs.start({"steps": [waits(f"never-{uuid4()}", timeout=1)]})

    assert output(run_id)["timedOut"] is True
    assert time.monotonic() - began < 10


def test_a_killed_worker_loses_no_signal(workers: Stack) -> None:
    event = f"kill-{uuid4()}"
    run_id = runs.start({"steps": [waits(event)]})
    sleeping(run_id)
    workers.kill("execution")
    send(event, "kept")
    workers.ensure("execution")

    assert output(run_id)["data"] == "kept"
