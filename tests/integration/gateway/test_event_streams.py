"""Streams: replay then live, each event once and in order, over lost messages, lost connections and slow readers."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from services.access import api_keys
from services.journal import event_feed
from tests.integration.gateway.conftest import Gateway, HandWrittenRun


def read(client: ClientConnection, number: int) -> list[int]:
    """The numbers of the next events."""
    return [json.loads(client.recv(timeout=15))["seq"] for _ in range(number)]


def close_of(client: ClientConnection) -> tuple[int, str]:
    """Read on until the server closes; the code and the reason."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            client.recv(timeout=20)
    assert closed.value.rcvd
    return closed.value.rcvd.code, closed.value.rcvd.reason


@contextmanager
def server_sent_events(url: str, **headers: str) -> Iterator[Iterator[str]]:
    with httpx2.stream("GET", url, headers={"Accept": "text/event-stream", **headers}, timeout=20) as answer:
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
        yield answer.iter_lines()


def test_what_was_is_replayed_what_is_follows_and_the_end_closes(gateway: Gateway, run: HandWrittenRun) -> None:
    run.say("a", "b")
    with connect(gateway.updates(run.id)) as client:
        replayed = read(client, 3)
        run.say("c")
        live = read(client, 1)
        run.end()
        last = json.loads(client.recv(timeout=5))
        code, _ = close_of(client)

    assert (replayed, live, last["seq"], last["name"]) == ([1, 2, 3], [4], 5, "run.failed")
    assert last["workflowId"] == run.id and code == 1000


def test_a_live_event_arrives_at_once(gateway: Gateway, run: HandWrittenRun) -> None:
    with connect(gateway.updates(run.id)) as client:
        read(client, 1)
        time.sleep(0.3)
        asked = time.monotonic()
        run.say("now")
        read(client, 1)

    assert time.monotonic() - asked < 0.3


def test_a_client_that_comes_back_sees_each_event_once(gateway: Gateway, run: HandWrittenRun) -> None:
    writer = threading.Thread(target=lambda: [run.say(str(number)) for number in range(300)] and run.end())
    writer.start()
    seen: list[int] = []
    while not seen or seen[-1] < 302:
        after = seen[-1] if seen else 0
        with connect(gateway.updates(run.id, after=after), max_queue=None) as client:  # a full queue delays leaving
            seen += [json.loads(message)["seq"] for message in islice(client, 40)]
    writer.join()

    assert seen == list(range(1, 303))


def test_many_clients_of_one_run_all_see_everything(gateway: Gateway, run: HandWrittenRun) -> None:
    seen: list[list[int]] = []

    def follow() -> None:
        with connect(gateway.updates(run.id)) as client:
            mine: list[int] = []
            try:
                while True:
                    mine.append(json.loads(client.recv(timeout=15))["seq"])
            except ConnectionClosed:
                seen.append(mine)

    followers = [threading.Thread(target=follow) for _ in range(20)]
    for follower in followers:
        follower.start()
    for number in range(100):
        run.say(str(number))
    run.end()
    for follower in followers:
        follower.join(20)

    assert seen == [list(range(1, 103))] * 20


def test_an_event_whose_message_was_lost_is_filled_in_by_the_next_one(gateway: Gateway, run: HandWrittenRun) -> None:
    with connect(gateway.updates(run.id)) as client:
        read(client, 1)
        run.say("lost", "lost too", publish=False)
        run.say("heard")

        assert read(client, 3) == [2, 3, 4]


def test_an_event_whose_message_was_lost_arrives_within_seconds(gateway: Gateway, run: HandWrittenRun) -> None:
    with connect(gateway.updates(run.id)) as client:
        read(client, 1)
        run.say("lost", publish=False)
        run.end(publish=False)

        assert read(client, 2) == [2, 3] and close_of(client)[0] == 1000


def test_doubled_late_and_bodyless_messages_change_nothing(gateway: Gateway, run: HandWrittenRun) -> None:
    with connect(gateway.updates(run.id)) as client:
        read(client, 1)
        first = run.say("a")
        second = run.say("b", publish=False)
        event_feed.publish(second + second)
        event_feed.publish(first)
        third = run.say("c", publish=False)
        event_feed.publish([{"workflowId": run.id, "seq": third[0]["seq"]}])
        run.say("d")

        assert read(client, 4) == [2, 3, 4, 5]


def test_a_large_event_arrives_whole(gateway: Gateway, run: HandWrittenRun) -> None:
    with connect(gateway.updates(run.id), max_size=None) as client:
        read(client, 1)
        run.say("x" * 300_000)
        large = json.loads(client.recv(timeout=5))

        assert large["data"]["text"] == "x" * 300_000


def test_a_finished_run_replays_and_closes(gateway: Gateway, run: HandWrittenRun) -> None:
    run.end()
    with connect(gateway.updates(run.id, after=1)) as client:
        assert read(client, 1) == [2] and close_of(client)[0] == 1000
    with connect(gateway.updates(run.id, after=2)) as client:
        assert close_of(client)[0] == 1000


def test_a_slow_reader_is_cut_with_the_number_to_resume_from(gateway: Gateway, run: HandWrittenRun) -> None:
    with connect(gateway.updates(run.id), max_queue=4, compression=None) as client:
        read(client, 1)
        time.sleep(0.2)
        for _ in range(240):
            run.say(*["y" * 2_000] * 25)
        seen = [1]
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                seen += read(client, 1)
    assert closed.value.rcvd
    code, reason = closed.value.rcvd.code, closed.value.rcvd.reason

    assert (code, reason) == (4408, f"resume with after={seen[-1]}")
    assert seen == list(range(1, len(seen) + 1)) and len(seen) < 6_001


def test_sigterm_says_goodbye_within_a_second(servers: Any, run: HandWrittenRun) -> None:
    gateway = Gateway()
    try:
        with connect(gateway.updates(run.id)) as client:
            read(client, 1)
            time.sleep(0.2)
            asked = time.monotonic()
            gateway.process.terminate()
            code, reason = close_of(client)
            took = time.monotonic() - asked
        gateway.process.wait(5)
    finally:
        gateway.stop()

    assert (code, reason) == (1012, "resume with after=1") and took < 1


def test_streams_beyond_the_limit_are_refused_and_the_api_still_answers(servers: Any, run: HandWrittenRun) -> None:
    gateway = Gateway(PERDURE_MAX_STREAMS="2")
    try:
        with connect(gateway.updates(run.id)) as one, connect(gateway.updates(run.id)) as two:
            read(one, 1), read(two, 1)
            with pytest.raises(InvalidStatus) as refused:
                connect(gateway.updates(run.id))
            answer = httpx2.get(f"{gateway.url}/api/runs/{run.id}")
    finally:
        gateway.stop()

    assert refused.value.response.status_code == 503 and b"streams" in (refused.value.response.body or b"")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("workflowId=0191e0a0-0000-7000-8000-000000000000", 404),
        ("", 400),
        ("workflowId={id}&after=-1", 400),
        ("workflowId={id}&after=99", 400),
        ("workflowId={id}&from=1", 400),
    ],
)
def test_what_can_be_refused_is_refused_before_the_handshake(
    gateway: Gateway, run: HandWrittenRun, query: str, status: int
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{gateway.port}/api/agent/updates?{query.format(id=run.id)}")

    assert refused.value.response.status_code == status
    assert refused.value.response.headers["Content-Type"] == "application/problem+json"


def test_plain_http_to_the_websocket_address_is_told_where_to_go(gateway: Gateway, run: HandWrittenRun) -> None:
    answer = httpx2.get(f"{gateway.url}/api/agent/updates?workflowId={run.id}")

    assert answer.status_code == 400 and "WebSocket" in answer.json()["detail"]


def test_a_websocket_shows_its_key_as_a_subprotocol(servers: Any) -> None:
    _, secret = api_keys.create("default", "browser")
    run = HandWrittenRun()
    gateway = Gateway(PERDURE_AUTH="required")
    try:
        with connect(gateway.updates(run.id), subprotocols=["perdure", f"key.{secret}"]) as client:  # type: ignore[list-item]
            chosen, seen = client.subprotocol, read(client, 1)
        with pytest.raises(InvalidStatus) as refused:
            connect(gateway.updates(run.id), subprotocols=["perdure", "key.wrong"])  # type: ignore[list-item]
    finally:
        gateway.stop()

    assert (chosen, seen, refused.value.response.status_code) == ("perdure", [1], 401)


def test_server_sent_events_carry_numbers_and_resume_after_the_last_one(gateway: Gateway, run: HandWrittenRun) -> None:
    run.say("a", "b")
    url = f"{gateway.url}/api/runs/{run.id}/events"
    with server_sent_events(url) as lines:
        first = [next(lines) for _ in range(7)]
    with server_sent_events(url, **{"Last-Event-ID": "2"}) as lines:
        run.end()
        numbers = [line for line in lines if line.startswith("id:")]

    assert first[0] == ": ok" and "id: 1" in first
    assert numbers == ["id: 3", "id: 4"]


def test_a_long_poll_waits_for_the_next_event_and_says_what_to_ask_next(gateway: Gateway, run: HandWrittenRun) -> None:
    url = f"{gateway.url}/api/runs/{run.id}/events"
    now = httpx2.get(f"{url}?after=0").json()
    threading.Timer(0.5, run.say, ["later"]).start()
    asked = time.monotonic()
    later = httpx2.get(f"{url}?after=1&wait=10", timeout=15).json()
    waited = time.monotonic() - asked
    run.end()
    last = httpx2.get(f"{url}?after=2&wait=10").json()
    over = httpx2.get(f"{url}?after=3&wait=10").json()

    assert ([item["seq"] for item in now["items"]], now["next"]) == ([1], 1)
    assert ([item["seq"] for item in later["items"]], later["next"]) == ([2], 2) and 0.4 < waited < 3
    assert (last["items"][0]["name"], last["next"]) == ("run.failed", None)
    assert over == {"items": [], "next": None}


def test_a_poll_with_nothing_to_tell_ends_after_its_wait(gateway: Gateway, run: HandWrittenRun) -> None:
    asked = time.monotonic()
    answer = httpx2.get(f"{gateway.url}/api/runs/{run.id}/events?after=1&wait=1").json()

    assert answer == {"items": [], "next": 1} and 0.9 < time.monotonic() - asked < 3


def test_every_transport_brings_the_same_texts_and_the_last_event_seals_them(
    gateway: Gateway, run: HandWrittenRun
) -> None:
    run.say("one", "zwölf", '"quoted"')
    with connect(gateway.updates(run.id)) as client:
        texts = [str(client.recv(timeout=5))]
        run.say("live")
        run.end()
        texts += [str(client.recv(timeout=5)) for _ in range(5)]
    with server_sent_events(f"{gateway.url}/api/runs/{run.id}/events") as lines:
        streamed = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    polled = httpx2.get(f"{gateway.url}/api/runs/{run.id}/events").text
    chained = ""
    for text in texts[:-1]:
        chained = hashlib.sha256((chained + text).encode()).hexdigest()

    assert json.loads(texts[-1])["sequence"] == {"count": 6, "hash": chained}
    assert streamed == texts
    assert polled == f'{{"items":[{",".join(texts)}],"next":null}}'


def test_a_mode_leaves_events_out_and_keeps_their_numbers(gateway: Gateway, run: HandWrittenRun) -> None:
    run.say("a", "b")
    run.end()
    with connect(gateway.updates(run.id) + "&modes=status") as client:
        status = [json.loads(message) for message in client]
    with server_sent_events(f"{gateway.url}/api/runs/{run.id}/events?modes=tokens") as lines:
        tokens = [json.loads(line.removeprefix("data: "))["seq"] for line in lines if line.startswith("data: ")]
    steps = httpx2.get(f"{gateway.url}/api/runs/{run.id}/events?modes=steps,tools&after=1").json()

    assert [(event["seq"], event["name"]) for event in status] == [(1, "run.created"), (4, "run.failed")]
    assert tokens == [2, 3, 4]
    assert [event["seq"] for event in steps["items"]] == [4] and steps["next"] is None
    assert httpx2.get(f"{gateway.url}/api/runs/{run.id}/events?modes=loud").status_code == 400


def test_a_poll_goes_on_after_what_its_modes_left_out(gateway: Gateway, run: HandWrittenRun) -> None:
    run.say("a", "b", "c")
    polled = httpx2.get(f"{gateway.url}/api/runs/{run.id}/events?modes=steps").json()

    assert polled == {"items": [], "next": 4}
