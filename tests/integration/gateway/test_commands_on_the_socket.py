"""A WebSocket takes commands: each is done, answered with an ack or a problem, and the events go on undisturbed."""

import json
import time
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from services.journal import plans, runs
from tests.integration.gateway.conftest import Gateway, HandWrittenRun


def say(client: ClientConnection, **command: Any) -> tuple[dict[str, Any], list[int]]:
    """The answer to a command, and the numbers of the events that came before it."""
    client.send(json.dumps(command))
    seen: list[int] = []
    while True:
        frame = json.loads(client.recv(timeout=10))
        if "ack" in frame:
            return frame, seen
        seen.append(frame["seq"])


def test_a_command_is_answered_at_once_and_the_events_stay_gapless(gateway: Gateway, run: HandWrittenRun) -> None:
    with connect(gateway.updates(run.id)) as client:
        client.recv(timeout=5)
        asked = time.monotonic()
        paused, before = say(client, id="p", do="pause")
        took = time.monotonic() - asked
        resumed, between = say(client, id=7, do="resume")
        cancelled, after = say(client, do="cancel")
        rest = [json.loads(message)["seq"] for message in client]

    assert paused == {"ack": "p", "result": {"status": "paused"}} and took < 1
    assert (resumed["ack"], resumed["result"]) == (7, {"status": "queued"})
    assert cancelled == {"ack": None, "result": {"status": "cancelled"}}
    assert before + between + after + rest == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("command", "pointer"),
    [
        ({"id": 1, "do": "explode"}, "#/do"),
        ({"id": 1}, "#/do"),
        ({"id": 1, "do": "steer"}, "#/text"),
        ({"id": 1, "do": "approve", "approvalId": 5}, "#/approvalId"),
        ({"id": 1, "do": "cancel", "now": True}, "#/now"),
    ],
)
def test_what_is_no_command_is_a_problem_that_names_the_field(
    gateway: Gateway, run: HandWrittenRun, command: dict[str, Any], pointer: str
) -> None:
    with connect(gateway.updates(run.id)) as client:
        answer, _ = say(client, **command)

    assert (answer["ack"], answer["problem"]["status"]) == (1, 400)
    assert answer["problem"]["errors"][0]["pointer"] == pointer


def test_what_can_not_be_done_is_a_problem_and_the_socket_lives_on(gateway: Gateway, run: HandWrittenRun) -> None:
    with connect(gateway.updates(run.id)) as client:
        client.recv(timeout=5)
        client.send("not json")
        garbage = json.loads(client.recv(timeout=5))
        client.send(b"[1]")
        number = json.loads(client.recv(timeout=5))
        unknown, _ = say(client, id="a", do="approve", approvalId="0191e0a0-0000-7000-8000-000000000000")
        signalled, _ = say(client, id="s", do="signal", name="paid", data={"amount": 4})

    assert (garbage["ack"], garbage["problem"]["status"]) == (number["ack"], number["problem"]["status"]) == (None, 400)
    assert (unknown["ack"], unknown["problem"]["status"]) == ("a", 404)
    assert signalled["result"]["woken"] == []


def test_a_steer_is_an_event_of_the_run_and_a_conflict_where_no_model_plans(
    gateway: Gateway, run: HandWrittenRun
) -> None:
    with connect(gateway.updates(run.id)) as client:
        client.recv(timeout=5)
        steered, before = say(client, id="s", do="steer", text="in euros")
        event = json.loads(client.recv(timeout=5)) if not before else None
    plan = {"brain": "offline", "source": "offline", "note": None, "steps": []}
    plans.complete(run.claim(), plan)
    with connect(gateway.updates(run.id)) as client:
        refused, _ = say(client, id="t", do="steer", text="in pounds")

    assert steered == {"ack": "s", "result": {"steered": True}}
    assert event is None or (event["seq"], event["name"], event["data"]) == (2, "run.steered", {"text": "in euros"})
    assert runs.get("default", run.id).steers == ["in euros"]
    assert refused["problem"]["status"] == 409


def test_too_many_commands_at_once_close_the_socket(gateway: Gateway, run: HandWrittenRun) -> None:
    from websockets.exceptions import ConnectionClosed

    with connect(gateway.updates(run.id)) as client, pytest.raises(ConnectionClosed) as closed:
        for number in range(5_000):
            client.send(json.dumps({"id": number, "do": "signal", "name": "x"}))
        while True:
            client.recv(timeout=10)

    assert closed.value.rcvd and closed.value.rcvd.code == 1008
