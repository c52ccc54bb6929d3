"""Messages to a receiver that fails, hangs, refuses and redirects, with workers that die: a receiver that looks at ids
takes each once, in order where that was asked for; what can't be delivered is given up with the reason."""

import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from services.delivery import attempts, messages, ordered_queues, publishing
from services.delivery.messages import Message
from services.delivery.publishing import Content, Publication, Terms
from services.errors import Conflict
from services.failpoints import Failpoint
from services.flow import keys
from services.journal import event_feed, steps, why
from services.journal import runs as journal
from services.pipeline import phases
from services.secrets import vault
from tests import runs
from tests.receiver import SECRET, Receiver
from tests.stack import Stack


@pytest.fixture(autouse=True)
def secret(servers: Any) -> None:
    vault.put(runs.TENANT, "hook", SECRET, ["127.0.0.1"])


@pytest.fixture
def fresh(receiver: Receiver) -> Iterator[Any]:
    """Paths that no other test uses."""
    mark = uuid4().hex[:8]
    yield lambda how: f"{how}/{mark}"


def publish(url: str, body: Any, secret: str | None = "hook", **terms: Any) -> str:
    terms = {"retry_delay": "0.05", "timeout": 5.0, **terms}
    content = Content.of_json(body)
    return publishing.publish(runs.TENANT, [Publication(url, None, content, Terms(**terms), secret)])[0].id


def ended(ids: list[str], timeout: float = 40) -> list[Message]:
    def found() -> list[Message]:
        return [messages.get(runs.TENANT, each) for each in ids]

    runs.wait_until(lambda: all(each.status in messages.FINISHED for each in found()), timeout)
    return found()


def dead(message: Message) -> tuple[str, str]:
    return message.status, (message.error or {}).get("reason", "")


def test_a_receiver_that_fails_two_of_three_takes_each_message_once_with_a_signature(
    workers: Stack, receiver: Receiver, fresh: Any
) -> None:
    path = fresh("flaky")
    found = ended([publish(receiver.url(path), {"n": n}) for n in range(20)])
    requests = receiver.requests(path)

    assert [each.status for each in found] == ["delivered"] * 20
    assert sorted(body["n"] for body in receiver.taken(path)) == list(range(20))
    assert all(request["verified"] for request in requests)
    assert set(Counter(request["id"] for request in requests).values()) == {3}
    assert [each.outcome for each in attempts.of_message(found[0].id)] == ["retry", "retry", "delivered"]


def test_what_can_not_be_delivered_is_given_up_with_its_reason(workers: Stack, receiver: Receiver, fresh: Any) -> None:
    wanted = {
        "private": ("dead", "redirected"),
        "gone": ("dead", "gone"),
        "never": ("dead", "refused"),
        "down": ("dead", "attempts_exhausted"),
        "hang": ("dead", "attempts_exhausted"),
    }
    ids = {how: publish(receiver.url(fresh(how)), how, retries=1, timeout=1.0) for how in wanted}
    ids["inside"] = publish("http://10.255.0.1/", "inside", None)
    ids["late"] = publish(receiver.url(fresh("down")), "late", retry_delay="60", deadline=publishing.clock.now())
    found = dict(zip(ids, ended(list(ids.values())), strict=True))

    assert {how: dead(found[how]) for how in wanted} == wanted
    assert dead(found["inside"]) == ("dead", "address_refused")
    assert dead(found["late"]) == ("dead", "deadline")
    assert "10.255.0.1" in (found["private"].error or {})["detail"]
    assert len(receiver.requests(fresh("private"))) == 1


def test_retry_after_is_when_it_is_tried_again(workers: Stack, receiver: Receiver, fresh: Any) -> None:
    path = fresh("busy")
    ended([publish(receiver.url(path), "later")])
    first, second = receiver.requests(path)

    assert 1.9 < second["at"] - first["at"] < 5
    assert [first["status"], second["status"]] == [429, 200]


def test_an_ordered_queue_keeps_its_order_though_its_messages_are_retried_and_workers_die(
    workers: Stack, receiver: Receiver, fresh: Any
) -> None:
    path, queue = fresh("flaky"), f"orders-{uuid4()}"
    never = fresh("never")
    ids = [publish(receiver.url(never if n == 3 else path), n, queue=queue) for n in range(12)]
    runs.wait_until(lambda: len(receiver.taken(path)) >= 3)
    workers.kill("execution")
    workers.ensure("execution")
    found = ended(ids)

    assert receiver.taken(path) == [n for n in range(12) if n != 3]
    assert [n for n, each in enumerate(found) if each.status == "dead"] == [3]
    last = {request["id"]: place for place, request in enumerate(receiver.requests(path))}
    first = {request["id"]: place for place, request in reversed(list(enumerate(receiver.requests(path))))}
    line = [each for each in ids if each in last]
    assert all(last[one] < first[other] for one, other in itertools.pairwise(line))


def test_a_queue_that_is_paused_sends_nothing_and_one_of_three_sends_three_at_a_time(
    workers: Stack, receiver: Receiver, fresh: Any
) -> None:
    path, queue = fresh("slow"), f"wide-{uuid4()}"
    ordered_queues.put(runs.TENANT, queue, parallelism=3)
    ordered_queues.pause(runs.TENANT, queue, paused=True)
    ids = [publish(receiver.url(path), n, queue=queue) for n in range(6)]
    time.sleep(1.5)
    before, depth = receiver.requests(path), ordered_queues.get(runs.TENANT, queue)
    ordered_queues.pause(runs.TENANT, queue, paused=False)
    phases.ring_delivery(6)
    ended(ids)

    assert before == []
    assert (depth.open, depth.queued) == (3, 3)
    assert sorted(receiver.taken(path)) == list(range(6))


@pytest.mark.parametrize(
    ("point", "requests"),
    [
        (Failpoint.MESSAGE_SENT, 2),
        pytest.param(Failpoint.MESSAGE_CLAIMED, 1, marks=pytest.mark.slow),
        pytest.param(Failpoint.MESSAGE_FINISHED, 1, marks=pytest.mark.slow),
    ],
)
def test_a_worker_that_is_killed_while_it_delivers_loses_nothing_and_doubles_nothing(
    workers: Stack, receiver: Receiver, fresh: Any, point: Failpoint, requests: int
) -> None:
    path = fresh("ok")
    workers.kill("execution")
    process = workers.start("execution", PERDURE_FAILPOINT=point)
    workers.wait_for_workers(["execution"])
    run_id = runs.start(
        {"steps": [{"id": "tell", "tool": "publish", "arguments": {"url": receiver.url(path), "message": {"n": 1}}}]}
    )
    assert process.wait(40) == -9
    workers.ensure("execution")
    run = runs.wait_for(run_id)

    assert run.status == "succeeded"
    assert receiver.taken(path) == [{"n": 1}]
    assert len(receiver.requests(path)) == requests
    assert len({request["id"] for request in receiver.requests(path)}) == 1


def test_a_step_that_publishes_sleeps_until_all_of_a_group_is_delivered_and_fails_when_it_is_given_up(
    workers: Stack, receiver: Receiver, fresh: Any
) -> None:
    from services.delivery import url_groups

    group = f"group-{uuid4()}"
    url_groups.put(runs.TENANT, group, [{"url": receiver.url(fresh(how))} for how in ("ok", "flaky")])
    options = {"retry_delay": "0.05"}
    told = {"id": "tell", "tool": "publish", "arguments": {"group": group, "message": "hi", "options": options}}
    refused = {"id": "no", "tool": "publish", "arguments": {"url": receiver.url(fresh("never")), "message": "hi"}}
    run = runs.wait_for(runs.start({"steps": [told]}))
    failed = runs.wait_for(runs.start({"steps": [refused]}))
    output = steps.of_run(run.id)[0].output

    assert (run.status, failed.status) == ("succeeded", "failed")
    assert output["attempts"] == 4 and len(output["messages"]) == 2
    assert [receiver.taken(fresh(how)) for how in ("ok", "flaky")] == [["hi"], ["hi"]]
    assert "422" in (steps.of_run(failed.id)[0].error or {})["detail"]


def test_a_flow_key_limits_how_many_are_under_way_and_how_many_begin_in_a_period(
    workers: Stack, receiver: Receiver, fresh: Any
) -> None:
    narrow, slow = f"narrow-{uuid4()}", f"slow-{uuid4()}"
    keys.set_limit(runs.TENANT, narrow, parallelism=1, rate=None, period=None)
    keys.set_limit(runs.TENANT, slow, parallelism=None, rate=2, period=1.5)
    ids = [publish(receiver.url(fresh("slow")), n, flow=narrow) for n in range(4)]
    ids += [publish(receiver.url(fresh("ok")), n, flow=slow) for n in range(5)]
    found = ended(ids)
    narrow_ones = sorted(attempts.of_message(each.id)[0].started_at for each in found[:4])
    paced = sorted(request["at"] for request in receiver.requests(fresh("ok")))

    assert [each.status for each in found] == ["delivered"] * 9
    assert all((later - before).total_seconds() > 0.29 for before, later in itertools.pairwise(narrow_ones))
    assert all(later - before > 1.4 for before, later in zip(paced, paced[2:], strict=False))


def test_a_host_that_hangs_does_not_hold_up_the_others(workers: Stack, receiver: Receiver, fresh: Any) -> None:
    content = Content.of_json("hang")
    terms = Terms(retries=0, timeout=4.0)
    hanging = [Publication(receiver.url(fresh("hang")), None, content, terms, None)] * 60
    hung = [each.id for each in publishing.publish(runs.TENANT, hanging)]
    runs.wait_until(lambda: messages.get(runs.TENANT, hung[0]).status == "delivering")
    began = time.monotonic()
    elsewhere = publish("http://localhost:9/", "other", None, retries=0)
    found = ended([elsewhere])
    took = time.monotonic() - began
    for each in hung:
        with contextlib.suppress(Conflict):
            messages.change(runs.TENANT, each, "cancel")

    assert dead(found[0])[0] == "dead"
    assert took < 3


def test_why_names_the_message_that_a_step_waits_for(workers: Stack, receiver: Receiver, fresh: Any) -> None:
    arguments = {"url": receiver.url(fresh("down")), "message": 1, "options": {"retry_delay": "60"}}
    run_id = runs.start({"steps": [{"id": "tell", "tool": "publish", "arguments": arguments}]})
    runs.wait_until(lambda: why.explain(runs.TENANT, run_id).kind == why.Kind.MESSAGE)
    runs.wait_until(lambda: "503" in why.explain(runs.TENANT, run_id).sentence)
    event_feed.publish(journal.request_cancel(runs.TENANT, run_id))
    message = messages.listed(runs.TENANT, messages.Filter(run_id=journal.parse_id(run_id)), limit=1)[0]
    messages.change(runs.TENANT, str(message.id), "hasten")
    phases.ring_delivery()

    assert ended([str(message.id)])[0].status == "cancelled"
    assert len(receiver.requests(fresh("down"))) == 1


def test_a_dead_message_is_redriven_and_its_callbacks_tell_of_both_ends(
    workers: Stack, receiver: Receiver, fresh: Any
) -> None:
    told = {name: receiver.url(fresh("ok")) for name in ("success", "failure")}
    url = receiver.url(fresh("flaky"))
    message = publish(url, "x", retries=0, callbacks=told)
    assert dead(ended([message])[0]) == ("dead", "attempts_exhausted")
    for _ in range(2):
        messages.change(runs.TENANT, message, "redrive")
        phases.ring_delivery()
        ended([message])
    runs.wait_until(lambda: len(receiver.taken(fresh("ok"))) == 3)

    assert messages.get(runs.TENANT, message).status == "delivered"
    types = [each["type"] for each in receiver.taken(fresh("ok"))]
    assert sorted(types) == ["message.dead", "message.dead", "message.delivered"]
    assert all(request["verified"] for request in receiver.requests(fresh("ok")))
