"""A second message while a run of the same conversation lives: five policies, over HTTP, watched by two sockets."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from gateway.client import Client
from gateway.client_parts import Refused
from tests.acceptance.visits import Stack

SLOW = "Wait 2 seconds"


@pytest.fixture
def talk(stack: Stack) -> Iterator[Callable[..., dict[str, Any]]]:
    """Starts a run in one conversation."""
    conversation = f"c-{uuid4()}"
    with Client(stack.url) as client:

        def start(request: str, **fields: Any) -> dict[str, Any]:
            return client.start(request, conversationId=conversation, **fields)

        yield start


def ended(stack: Stack, run_id: str) -> dict[str, Any]:
    with Client(stack.url) as client:
        list(client.events(run_id))
        return client.get(run_id)


def messages(stack: Stack, run: dict[str, Any]) -> list[tuple[str, str]]:
    found = httpx2.get(f"{stack.url}/api/conversations/{run['conversationId']}/messages").json()["items"]
    return [(one["role"], one["text"]) for one in found]


def test_it_waits_its_turn_unless_told_otherwise(stack: Stack, talk: Callable[..., dict[str, Any]]) -> None:
    first, second, third = talk(SLOW), talk("What is 2 + 3?"), talk("What is 3 + 4?")
    why = httpx2.get(f"{stack.url}/api/runs/{second['workflowId']}/why").json()
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda one: ended(stack, one["workflowId"]), (first, second, third)))

    assert (second["waitsFor"], third["waitsFor"]) == (first["workflowId"], second["workflowId"])
    assert first["workflowId"] in why["sentence"]
    assert [run["status"] for run in runs] == ["succeeded"] * 3
    assert runs[0]["finishedAt"] <= runs[1]["startedAt"] <= runs[1]["finishedAt"] <= runs[2]["startedAt"]


def test_it_is_rejected(stack: Stack, talk: Callable[..., dict[str, Any]]) -> None:
    first = talk(SLOW)
    with pytest.raises(Refused) as refused:
        talk("What is 2 + 3?", onBusy="reject")
    run = ended(stack, first["workflowId"])

    assert refused.value.status == 409
    assert first["workflowId"] in refused.value.detail
    assert [role for role, _ in messages(stack, run)] == ["user", "assistant"]


@pytest.mark.parametrize("policy", ["interrupt", "rollback"])
def test_it_takes_the_place_of_the_run_before(stack: Stack, talk: Callable[..., dict[str, Any]], policy: str) -> None:
    first = talk("Wait 50 seconds")
    time.sleep(0.5)
    second = talk("What is 2 + 3?", onBusy=policy)
    before, run = ended(stack, first["workflowId"]), ended(stack, second["workflowId"])
    asked = [text for role, text in messages(stack, run) if role == "user"]

    assert (before["status"], run["status"]) == ("cancelled", "succeeded")
    assert asked == (["What is 2 + 3?"] if policy == "rollback" else ["Wait 50 seconds", "What is 2 + 3?"])


def test_who_waits_for_a_cancelled_waiter_waits_for_the_one_before_it(
    stack: Stack, talk: Callable[..., dict[str, Any]]
) -> None:
    first, second, third = talk(SLOW), talk("What is 2 + 3?"), talk("What is 3 + 4?")
    httpx2.post(f"{stack.url}/api/runs/{second['workflowId']}/cancel")
    one, three = ended(stack, first["workflowId"]), ended(stack, third["workflowId"])

    assert ended(stack, second["workflowId"])["status"] == "cancelled"
    assert one["finishedAt"] <= three["startedAt"]


def test_conversations_are_listed_renamed_forked_and_forgotten(
    stack: Stack, talk: Callable[..., dict[str, Any]]
) -> None:
    run = ended(stack, talk("What is 2 + 3?", userId="conversationalist")["workflowId"])
    url = f"{stack.url}/api/conversations"
    listed = httpx2.get(url, params={"userId": "conversationalist"}).json()["items"]
    one = f"{url}/{run['conversationId']}"
    renamed = httpx2.patch(one, json={"title": "Sums"}).json()
    fork = httpx2.post(f"{one}/fork").json()
    copied = httpx2.get(f"{url}/{fork['id']}/messages").json()["items"]
    forgotten = httpx2.delete(one).json()["forgotten"]

    assert [item["id"] for item in listed] == [run["conversationId"]]
    assert (listed[0]["messages"], listed[0]["last"]["role"]) == (2, "assistant")
    assert (renamed["title"], fork["title"]) == ("Sums", "Sums")
    assert [message["role"] for message in copied] == ["user", "assistant"]
    assert (forgotten, messages(stack, run)) == (2, [])
    assert httpx2.get(f"{url}/none").status_code == 404
