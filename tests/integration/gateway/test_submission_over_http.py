"""What may be asked of the start of a run, over HTTP: later, once, as one with others, and who is told."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from services.journal import runs, submissions

PLAN = {"steps": [{"id": "a", "tool": "echo", "arguments": {"text": "hi"}}]}


def start(http: FlaskClient, status: int = 202, **fields: Any) -> dict[str, Any]:
    answer = http.post("/api/agent/start", json=fields)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json
    return found


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def test_a_run_for_later_is_held_explained_and_begun_by_a_person(http: FlaskClient, tools: None) -> None:
    made = start(http, plan=PLAN, notBefore=in_an_hour(), ttl=7200)
    held = http.get(f"/api/runs/{made['workflowId']}").json
    why = http.get(f"/api/runs/{made['workflowId']}/why").json
    begun = http.post(f"/api/runs/{made['workflowId']}/run-now")
    again = http.post(f"/api/runs/{made['workflowId']}/run-now")

    assert (held["status"], held["notBefore"]) == ("queued", made["notBefore"])
    assert held["steps"][0]["status"] == "pending"
    assert why["kind"] == "timer" and "held back" in why["sentence"]
    assert (begun.status_code, begun.json["status"]) == (202, "executing")
    assert again.status_code == 409
    assert http.get(f"/api/runs/{made['workflowId']}").json["steps"][0]["status"] == "ready"


def test_a_run_that_was_paused_while_it_was_held_stays_held_when_it_is_resumed(http: FlaskClient, tools: None) -> None:
    made = start(http, plan=PLAN, notBefore=in_an_hour())["workflowId"]
    http.post(f"/api/runs/{made}/pause")
    http.post(f"/api/runs/{made}/resume")
    found = http.get(f"/api/runs/{made}").json

    assert (found["status"], found["steps"][0]["status"]) == ("queued", "pending")


def test_the_same_submission_is_answered_with_the_run_that_exists(http: FlaskClient, tools: None) -> None:
    key = uuid4().hex
    first = start(http, request=key, deduplicationId=key)
    same = start(http, request="another", deduplicationId=key)
    content = [start(http, plan=PLAN, userId=key, contentDeduplication=True) for _ in range(2)]
    single = [start(http, request=key, coalesce={"mode": "singleton", "key": key}) for _ in range(2)]

    assert (same["workflowId"], same["deduplicated"]) == (first["workflowId"], True)
    assert content[0]["workflowId"] == content[1]["workflowId"]
    assert (single[1]["workflowId"], single[1]["coalesced"]) == (single[0]["workflowId"], True)


def test_requests_of_a_batch_are_one_run_that_tells_what_it_took_in(http: FlaskClient) -> None:
    rule = {"mode": "batch", "key": uuid4().hex, "seconds": 600, "max": 3}
    made = [start(http, request=f"Ask {n}", coalesce=rule)["workflowId"] for n in range(4)]
    run = runs.get("default", made[0])
    events = http.get(f"/api/runs/{made[0]}/events").json["items"]

    assert made[0] == made[1] == made[2] != made[3]
    assert run.request == "Ask 0\n\nAsk 1\n\nAsk 2"
    assert [event["data"]["count"] for event in events if event["name"] == "run.coalesced"] == [2, 3]
    assert submissions.get(run.id).coalesced == 3


def test_an_idempotent_repeat_of_a_deduplicated_start_is_told_of_the_same_run(http: FlaskClient) -> None:
    key = uuid4().hex
    first = start(http, request=key, deduplicationId=key)
    body = {"request": key, "deduplicationId": key}
    keyed = [http.post("/api/agent/start", json=body, headers={"Idempotency-Key": key}).json for _ in range(2)]

    assert [each["workflowId"] for each in keyed] == [first["workflowId"]] * 2


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"callbacks": {"success": "ftp://x"}}, "#/callbacks/success"),
        ({"ttl": 0}, "#/ttl"),
        ({"notBefore": "tomorrow"}, "#/notBefore"),
        ({"deduplicationId": "a", "contentDeduplication": True}, "#"),
        ({"coalesce": {"mode": "sometimes", "key": "k"}}, "#/coalesce/mode"),
        ({"coalesce": {"mode": "batch", "key": "k"}, "plan": PLAN}, "#"),
    ],
)
def test_what_makes_no_sense_is_refused_and_names_the_field(
    http: FlaskClient, fields: dict[str, Any], pointer: str
) -> None:
    problem = start(http, 400, **{"request": "x", **fields})

    assert problem["errors"][0]["pointer"] == pointer


def test_a_schedule_does_not_take_what_says_when_its_runs_begin(http: FlaskClient) -> None:
    run = {"request": "x", "coalesce": {"mode": "singleton", "key": "k"}}
    answer = http.post("/api/schedules", json={"name": uuid4().hex, "every": 60, "run": run})

    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (400, "#/run/coalesce")
