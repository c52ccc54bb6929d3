"""Runs of which others are told (webhooks, callbacks), and runs that begin later, once, or as one with others: whatever
dies, each message arrives once, signed, and no run begins early, twice or never."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from services import clock, database
from services.delivery import messages, subscriptions
from services.journal import runs as journal
from services.journal import steps, submissions
from services.journal.runs import RunStatus
from services.pipeline import operating, phases
from services.secrets import vault
from tests import runs
from tests.receiver import SECRET, Receiver
from tests.stack import Stack

ECHO = {"steps": [{"id": "a", "tool": "echo", "arguments": {"value": 1}}]}


@pytest.fixture(autouse=True)
def secret(servers: Any) -> None:
    vault.put(runs.TENANT, "hook", SECRET, ["127.0.0.1"])


@pytest.fixture
def path() -> str:
    return f"ok/{uuid4().hex[:8]}"


@pytest.fixture
def hook(receiver: Receiver, path: str) -> Iterator[subscriptions.Subscription]:
    """Tells the receiver of the ends of runs that carry the path as label."""
    made, _ = subscriptions.add(
        runs.TENANT, SECRET, url=receiver.url(path), events=["run.*"], labels={"told": path}
    )  # fmt: skip
    yield made
    subscriptions.remove(runs.TENANT, str(made.id))


def accept(plan: dict[str, Any] | None = None, request: str | None = None, **more: Any) -> journal.Accepted:
    """A committed run as the gateway makes it, rung unless it is held back."""
    run_id = str(journal.new_id())
    row = {"id": run_id, "tenant": runs.TENANT, "user_id": "ada", "conversation_id": f"c-{run_id}", **more}
    written = runs.written(plan) if plan else None
    made = journal.accept({**row, "request": request, "plan": written})
    if made.existing is None and not {"not_before", "coalesce"} & more.keys():
        phases.start(run_id, planned=plan is not None)
    return journal.Accepted([{"workflowId": run_id}, *made.events], made.busy, made.steered, made.existing, made.how)


def id_of(made: journal.Accepted) -> str:
    return made.existing or str(made.events[0]["workflowId"])


def types(receiver: Receiver, path: str) -> list[str]:
    return [body["type"] for body in receiver.taken(path)]


def soon(seconds: float) -> str:
    return str(clock.to_wire(clock.now() + timedelta(seconds=seconds)))


def test_a_webhook_tells_of_each_event_once_though_workers_die(
    workers: Stack, receiver: Receiver, path: str, hook: subscriptions.Subscription
) -> None:
    started = [id_of(accept(ECHO, labels={"told": path})) for _ in range(5)]
    workers.kill("execution")
    workers.ensure("execution")
    other = id_of(accept(ECHO))
    for run_id in [*started, other]:
        runs.wait_for(run_id)
    runs.wait_until(lambda: types(receiver, path).count("run.succeeded") == 5)

    assert sorted(types(receiver, path)) == ["run.created"] * 5 + ["run.succeeded"] * 5
    assert {body["data"]["workflowId"] for body in receiver.taken(path)} == set(started)
    assert all(request["verified"] for request in receiver.requests(path))


def test_while_a_secret_is_rotated_both_verify(
    workers: Stack, receiver: Receiver, path: str, hook: subscriptions.Subscription
) -> None:
    _, fresh = subscriptions.rotate(runs.TENANT, str(hook.id), keep_seconds=60)
    subscriptions.ping(runs.TENANT, str(hook.id))
    runs.wait_until(lambda: receiver.requests(path))
    request = receiver.requests(path)[0]

    assert request["verified"] and request["body"]["type"] == "webhook.ping"
    raw = messages.get(runs.TENANT, request["id"]).body.encode()
    assert Webhook(fresh).verify(raw, request["headers"])


def test_callbacks_tell_of_steps_of_waiting_for_a_person_and_of_the_end(
    workers: Stack, receiver: Receiver, path: str
) -> None:
    told = {name: receiver.url(path) for name in ("success", "failure", "step", "paused")} | {"secret": "hook"}
    ask = {"id": "ask", "tool": "ask_person", "arguments": {"question": "Which?"}, "dependsOn": ["a"]}
    run_id = id_of(accept({"steps": [*ECHO["steps"], ask]}, callbacks=told))
    runs.wait_until(lambda: "approval.requested" in types(receiver, path))
    operating.carry_on(run_id, operating.surgery.skip_step(runs.TENANT, run_id, "ask"))
    runs.wait_for(run_id)
    runs.wait_until(lambda: len(types(receiver, path)) == 4)

    assert sorted(types(receiver, path)) == [
        "approval.requested",
        "run.succeeded",
        "step.skipped",
        "step.succeeded",
    ]
    assert all(request["verified"] for request in receiver.requests(path))


def test_a_run_that_is_held_back_begins_at_its_time_or_when_a_person_says_so(workers: Stack) -> None:
    at = clock.now() + timedelta(seconds=3)
    later, now = (id_of(accept(ECHO, not_before=clock.to_wire(at))) for _ in range(2))
    asked = id_of(accept(request="What is 2 + 2?", not_before=clock.to_wire(at)))
    time.sleep(1.5)
    waiting = [journal.get(runs.TENANT, each) for each in (later, asked)]
    operating.carry_on(now, submissions.hasten(runs.TENANT, now))
    found = {each: runs.wait_for(each) for each in (later, now, asked)}

    assert [each.status for each in waiting] == ["queued", "queued"]
    assert {each.status for each in found.values()} == {RunStatus.SUCCEEDED}
    assert begun(now) < at
    assert all(at <= begun(each) < at + timedelta(seconds=8) for each in (later, asked))


def begun(run_id: str) -> datetime:
    found = steps.of_run(journal.parse_id(run_id))[0].started_at
    assert found is not None
    return found


def test_a_run_that_has_not_begun_by_its_time_is_cancelled_with_the_reason(workers: Stack) -> None:
    late = id_of(accept(ECHO, not_before=soon(60), ttl=0.5))
    done = id_of(accept(ECHO, ttl=0.5))
    cancelled, finished = runs.wait_for(late), runs.wait_for(done)
    time.sleep(1.5)

    assert (cancelled.status, (cancelled.error or {})["reason"]) == ("cancelled", "ttl")
    assert finished.status == "succeeded"
    assert runs.history(late)[-1]["data"]["error"]["reason"] == "ttl"


def test_the_same_run_is_taken_once_within_its_window(workers: Stack) -> None:
    key = uuid4().hex
    first = accept(ECHO, dedup_key=key, dedup_seconds=60.0)
    second = accept(ECHO, dedup_key=key, dedup_seconds=60.0)

    assert (second.existing, second.how) == (id_of(first), "deduplicated")
    assert runs.wait_for(id_of(first)).status == "succeeded"


def test_runs_of_one_key_are_one_while_it_lives_the_last_one_or_all_in_one(workers: Stack) -> None:
    def submit(mode: str, **more: Any) -> journal.Accepted:
        rule = {"mode": mode, "key": f"{mode}-{mark}", "seconds": 1.5, "longest": 60.0, "max": 100}
        return accept(coalesce=rule, **more)

    mark = uuid4().hex
    slow = {"steps": [{"id": "s", "tool": "sleep", "arguments": {"seconds": 3}}]}
    single = [submit("singleton", plan=slow) for _ in range(3)]
    phases.start(id_of(single[0]), planned=True)
    last = [submit("debounce", request=f"What is {n} + 1?") for n in range(3)]
    batch = [submit("batch", request=f"What is {n} + 2?") for n in range(3)]
    ended = [runs.wait_for(id_of(each)) for each in last]
    batched = runs.wait_for(id_of(batch[0]))

    assert {id_of(each) for each in single} == {id_of(single[0])}
    assert [each.status for each in ended] == ["cancelled", "cancelled", "succeeded"]
    assert (ended[0].error or {})["workflowId"] == str(ended[1].id)
    assert {id_of(each) for each in batch} == {str(batched.id)}
    assert batched.request == "What is 0 + 2?\n\nWhat is 1 + 2?\n\nWhat is 2 + 2?"
    assert runs.wait_for(id_of(single[0])).status == "succeeded"


def test_a_run_with_a_plan_waits_for_the_one_before_it_in_its_conversation(workers: Stack) -> None:
    talk = f"c-{uuid4()}"
    slow = {"steps": [{"id": "s", "tool": "sleep", "arguments": {"seconds": 4.5}}]}
    first = id_of(accept(slow, request="first", conversation_id=talk, on_busy="enqueue"))
    second = accept(ECHO, request="second", conversation_id=talk, on_busy="enqueue")
    one, two = runs.wait_for(first), runs.wait_for(id_of(second))

    assert second.busy == first
    assert one.finished_at is not None and begun(str(two.id)) >= one.finished_at


def test_sending_is_part_of_no_step_without_subscribers(workers: Stack) -> None:
    run_id = id_of(accept(ECHO))
    runs.wait_for(run_id)

    assert database.call("tell_of_steps", 10) == 0
    assert messages.listed(runs.TENANT, messages.Filter(run_id=journal.parse_id(run_id)), limit=5) == []
