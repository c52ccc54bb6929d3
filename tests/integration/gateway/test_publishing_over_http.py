"""Publishing over HTTP: what is taken, what is refused and why, what is the same, what is shown of a message."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from services.delivery import messages
from services.journal import blobs

URL = "https://example.com/hook"


def published(http: FlaskClient, status: int = 202, **fields: Any) -> dict[str, Any]:
    answer = http.post("/api/publish", json={"url": URL, "delay": 3600, **fields})
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json
    return found


def shown(http: FlaskClient, message_id: str) -> dict[str, Any]:
    found: dict[str, Any] = http.get(f"/api/messages/{message_id}").json
    return found


def test_a_message_is_taken_shown_hastened_and_cancelled(http: FlaskClient) -> None:
    made = published(http, body={"n": 1}, headers={"X-Mine": "a"}, labels={"team": "red"}, retryDelay="attempt * 2")
    found = shown(http, made["id"])
    hastened = http.post(f"/api/messages/{made['id']}/retry-now").json
    cancelled = http.post(f"/api/messages/{made['id']}/cancel").json
    again = http.post(f"/api/messages/{made['id']}/cancel")

    assert (found["status"], found["url"], found["body"], found["retries"]) == ("waiting", URL, '{"n":1}', 8)
    assert found["headers"] == {"X-Mine": "a", "Content-Type": "application/json"}
    assert hastened["dueAt"] < found["dueAt"]
    assert cancelled["status"] == "cancelled"
    assert again.status_code == 409 and "cancelled" in again.json["detail"]
    assert made["id"] in [each["id"] for each in http.get("/api/messages?label=team:red").json["items"]]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"url": "ftp://example.com"}, "#/url"),
        ({"url": "https://user:pass@example.com"}, "#/url"),
        ({"url": "not a url"}, "#/url"),
        ({"retryDelay": "attempt.x"}, "#/retryDelay"),
        ({"callbacks": {"success": "mailto:x"}}, "#/callbacks/success"),
        ({"base64": "###"}, "#/base64"),
        ({"timeout": 0}, "#/timeout"),
        ({"headers": {"X": "a\r\nb"}}, "#/headers/X"),
        ({"flow": {"key": "tool:echo", "rate": 1}}, "#/flow/key"),
        ({"colour": "red"}, "#/colour"),
    ],
)
def test_what_can_not_be_published_is_refused_and_names_the_field(
    http: FlaskClient, fields: dict[str, Any], pointer: str
) -> None:
    problem = published(http, 400, **fields)

    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


def test_a_batch_is_taken_as_a_whole_or_not_at_all(http: FlaskClient) -> None:
    label = {"batch": uuid4().hex}
    one = {"url": URL, "labels": label, "delay": 60}
    good = http.post("/api/publish", json={"messages": [one, one]})
    bad = http.post("/api/publish", json={"messages": [one, {**one, "url": "x"}]})

    assert (good.status_code, bad.status_code) == (202, 400)
    assert bad.json["errors"][0]["pointer"] == "#/messages/1/url"
    found = http.get(f"/api/messages?label=batch:{label['batch']}").json["items"]
    assert sorted(each["id"] for each in found) == sorted(each["id"] for each in good.json["items"])


def test_the_same_message_is_taken_once_within_its_window(http: FlaskClient) -> None:
    mark = uuid4().hex
    first = published(http, body=mark, deduplicationId=mark)
    same = published(http, body="another", deduplicationId=mark)
    content = [published(http, body=mark, contentDeduplication=True) for _ in range(2)]
    short = [published(http, body=mark, deduplicationId=f"{mark}2", deduplicationWindow=0.001) for _ in range(2)]
    keyed = [
        http.post("/api/publish", json={"url": URL, "delay": 9}, headers={"Idempotency-Key": mark}).json["id"]
        for _ in range(2)
    ]

    assert (same["id"], same["deduplicated"]) == (first["id"], True)
    assert [each["deduplicated"] for each in content] == [False, True]
    assert content[0]["id"] == content[1]["id"] != first["id"]
    assert short[0]["id"] != short[1]["id"]
    assert keyed[0] == keyed[1]


def test_redacted_fields_are_shown_as_hashes_that_can_be_compared(http: FlaskClient) -> None:
    body = {"card": {"number": "4242"}, "lines": [{"note": "x"}, {"note": "x"}], "sum": 5}
    redact = {"headers": ["authorization"], "body": ["card.number", "lines.note"]}
    made = published(http, body=body, headers={"Authorization": "Bearer tok"}, redact=redact)
    found = shown(http, made["id"])
    kept = messages.get("default", made["id"])
    http.post(f"/api/messages/{made['id']}/cancel")

    assert "4242" not in found["body"] and "tok" not in found["headers"]["Authorization"]
    assert found["redacted"] and '"sum":5' in found["body"]
    assert found["body"].count("hmac:") == 3
    assert "4242" in kept.body
    assert "4242" not in messages.get("default", made["id"]).body


def test_a_big_body_is_kept_once_as_a_blob(http: FlaskClient) -> None:
    text = uuid4().hex * 3_000
    made = [published(http, text=text)["id"] for _ in range(2)]
    rows = [each for each in messages.listed("default", messages.ANY, limit=10) if str(each.id) in made]

    assert all(blobs.is_reference(each.body) for each in rows)
    assert rows[0].body == rows[1].body
    assert shown(http, made[0])["body"] == text


def test_a_group_gets_a_message_for_each_of_its_urls(http: FlaskClient) -> None:
    name = f"group-{uuid4().hex}"
    endpoints = [{"url": URL}, {"url": f"{URL}/two", "headers": {"X-Key": "2"}}]
    unknown = http.post("/api/publish", json={"group": name, "body": 1})
    refused = http.put(f"/api/url-groups/{name}", json={"endpoints": [{"url": "x"}]})
    http.put(f"/api/url-groups/{name}", json={"endpoints": endpoints})
    made = http.post("/api/publish", json={"group": name, "body": 1, "delay": 60}).json["items"]

    assert (unknown.status_code, refused.status_code) == (404, 400)
    assert [each["url"] for each in made] == [URL, f"{URL}/two"]
    assert shown(http, made[1]["id"])["headers"]["X-Key"] == "2"
    assert http.delete(f"/api/url-groups/{name}").status_code == 200


def test_queues_show_their_depth_and_are_removed_when_empty(http: FlaskClient) -> None:
    name = f"queue-{uuid4().hex}"
    made = [published(http, body=n, queue=name)["id"] for n in range(3)]
    before = http.get(f"/api/queues/{name}").json
    full = http.delete(f"/api/queues/{name}")
    bulk = {"action": "cancel", "filter": {"queue": name}}
    dry = http.post("/api/messages/bulk", json={**bulk, "dryRun": True}).json["items"]
    http.post("/api/messages/bulk", json=bulk)

    assert (before["open"], before["queued"], before["parallelism"]) == (1, 2, 1)
    assert full.status_code == 409
    assert {each["id"] for each in dry} == set(made)
    assert {shown(http, each)["status"] for each in made} == {"cancelled"}
    assert http.delete(f"/api/queues/{name}").status_code == 200


def test_what_was_refused_is_dead_counted_by_the_doctor_redriven_and_discarded(http: FlaskClient) -> None:
    made = published(http, delay=0, body="x")["id"]
    found = {each.id: each for each in messages.claim("worker", limit=100, per_host=100, mine=[])}
    late = messages.finish(replace(found[made], attempt=7), {"outcome": "delivered"})
    for each in found.values():
        messages.finish(each, {"outcome": "refused", "reason": "refused", "detail": "No.", "status": 400})
    invariants = {each["invariant"] for each in http.get("/api/doctor").json["findings"]}
    redriven = http.post(f"/api/messages/{made}/redrive").json
    again = next(each for each in messages.claim("worker", limit=100, per_host=100, mine=[]) if each.id == made)
    messages.finish(again, {"outcome": "refused", "reason": "refused", "detail": "No.", "status": 400})
    discarded = http.post(f"/api/messages/{made}/discard").json

    assert late["fenced"]
    assert "dead messages are looked at" in invariants
    assert (redriven["status"], redriven["failures"], discarded["status"]) == ("waiting", 0, "discarded")
    assert [each["outcome"] for each in discarded["attempts"]] == ["refused", "refused"]


def test_a_message_by_a_schedule_is_a_schedule_whose_runs_publish(http: FlaskClient, publish_known: None) -> None:
    name = f"daily-{uuid4().hex}"
    body = {"url": URL, "body": {"n": 1}, "schedule": {"name": name, "cron": "0 9 * * *"}}
    made = http.post("/api/publish", json=body)
    wrong = http.post("/api/publish", json={**body, "schedule": {"name": "x", "cron": "nonsense"}})

    assert made.status_code == 201, made.text
    assert http.get(f"/api/schedules/{name}").json["nextAt"] == made.json["nextAt"]
    assert wrong.status_code == 400
    assert http.delete(f"/api/schedules/{name}").status_code == 200


@pytest.fixture
def publish_known(servers: Any) -> Any:
    """The catalogue as an execution worker writes it."""
    from execution_worker.tools.publish import publish
    from gateway import known_tools
    from services.tools import catalogue

    catalogue.register([("built-in", publish)])
    known_tools._cache.clear()
    yield
    catalogue.register([])
    known_tools._cache.clear()
