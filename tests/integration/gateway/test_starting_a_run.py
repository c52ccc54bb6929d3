"""POST /api/agent/start: what it takes, what it commits, what an Idempotency-Key promises."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient

from gateway.app import create_app
from tests.integration.gateway.conftest import count

PLAN = {"steps": [{"id": "a", "tool": "echo", "arguments": {"text": "hi"}}]}


def test_an_accepted_request_is_a_committed_run(http: FlaskClient) -> None:
    answer = http.post(
        "/api/agent/start", json={"request": "What is 1 + 1?", "conversationId": "c-1", "labels": {"a": "b"}}
    )

    assert answer.status_code == 202
    run_id = answer.json["workflowId"]
    assert answer.json["updatesUrl"] == f"/api/agent/updates?workflowId={run_id}"
    assert answer.headers["Location"] == f"/api/runs/{run_id}"
    run = http.get(answer.headers["Location"]).json
    assert (run["status"], run["request"], run["conversationId"], run["userId"]) == (
        "queued",
        "What is 1 + 1?",
        "c-1",
        "default",
    )
    assert run["labels"] == {"a": "b"} and run["plan"] is None and run["steps"] == []
    assert count("select count(*) from events where run_id = %s and seq = 1 and name = 'run.created'", run_id) == 1


def test_a_plan_alone_is_enough_and_is_kept(http: FlaskClient, tools: None) -> None:
    answer = http.post("/api/agent/start", json={"plan": PLAN})

    assert answer.status_code == 202
    assert (
        count(
            "select count(*) from steps where run_id = %s and tool = 'echo'",
            answer.json["workflowId"],
        )
        == 1
    )


def test_the_same_key_and_body_start_one_run_and_get_one_answer(http: FlaskClient) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first = http.post("/api/agent/start", json={"request": "once", "userId": "u"}, headers=headers)
    second = http.post("/api/agent/start", json={"userId": "u", "request": "once"}, headers=headers)

    assert second.status_code == 202 and second.json == first.json
    assert second.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
    assert second.headers["Location"] == first.headers["Location"]


def test_the_same_key_with_another_body_is_refused(http: FlaskClient) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    http.post("/api/agent/start", json={"request": "one"}, headers=headers)
    other = http.post("/api/agent/start", json={"request": "two"}, headers=headers)

    assert other.status_code == 422 and other.json["type"] == "urn:perdure:problem:idempotency-mismatch"


def test_twenty_submissions_at_once_with_one_key_start_one_run(servers: Any) -> None:
    app, key, word = create_app(), str(uuid4()), str(uuid4())

    def submit(_: int) -> Any:
        return app.test_client().post("/api/agent/start", json={"request": word}, headers={"Idempotency-Key": key})

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(submit, range(20)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json["workflowId"] for answer in answers}) == 1
    assert count("select count(*) from runs where request = %s", word) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
