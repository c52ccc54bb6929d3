"""Whatever is wrong with a request, the answer is problem JSON that names the field and the remedy."""

import socket
from typing import Any

import httpx2
import pytest
from flask.testing import FlaskClient

from gateway import scopes
from tests.integration.gateway.conftest import Gateway, HandWrittenRun


def step(**fields: Any) -> dict[str, Any]:
    return {"id": "a", "tool": "echo", "arguments": {"text": "hi"}, **fields}


def deep(levels: int) -> Any:
    return {"a": deep(levels - 1)} if levels else 1


PLANS: list[tuple[Any, str, str]] = [
    ([step(tool="ecco")], "#/plan/steps/0/tool", "known tools: echo, wait_for"),
    ([step(arguments={"text": 7})], "#/plan/steps/0/arguments/text", "not of type 'string'"),
    ([step(arguments={})], "#/plan/steps/0/arguments", "its arguments are text"),
    ([step(dependsOn=["z"])], "#/plan/steps/0/dependsOn/0", "not in the plan"),
    ([step(dependsOn=["b"]), step(id="b", dependsOn=["a"])], "#/plan/steps/0/dependsOn", "break the cycle"),
    ([step(), step()], "#/plan/steps/1/id", "used twice"),
    ([step(id="not an id")], "#/plan/steps/0/id", "pattern"),
    ([step(arguments={"text": "${z.x}"})], "#/plan/steps/0/arguments", "not in the plan"),
    ([], "#/plan/steps", "at least one"),
]

BODIES: list[tuple[Any, str, str]] = [
    ({}, "#", "give `request`"),
    ({"request": "   "}, "#", "blank"),
    ({"request": 7}, "#/request", "string"),
    ({"request": "x", "requets": "y"}, "#/requets", "known fields: request, plan, review"),
    ({"request": "x", "userId": ["u"]}, "#/userId", "string"),
    ({"request": "x", "labels": {"a": 1}}, "#/labels/a", "string"),
    ({"plan": [1]}, "#/plan", "dictionary"),
    ({"request": "nul \0 character"}, "#/request", "NUL"),
    ({"request": "x", "plan": deep(70)}, "#/plan" + "/a" * 63, "flatten"),
    ([1, 2], "#", "object"),
]


@pytest.mark.parametrize(("steps", "pointer", "remedy"), PLANS)
def test_a_faulty_plan_is_a_422_that_names_step_and_field(
    http: FlaskClient, tools: None, steps: Any, pointer: str, remedy: str
) -> None:
    answer = http.post("/api/agent/start", json={"plan": {"steps": steps}})

    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert answer.json["errors"][0]["pointer"] == pointer
    assert remedy in answer.json["errors"][0]["detail"]


@pytest.mark.parametrize(("body", "pointer", "remedy"), BODIES)
def test_a_faulty_body_is_a_400_that_names_the_field(http: FlaskClient, body: Any, pointer: str, remedy: str) -> None:
    answer = http.post("/api/agent/start", json=body)

    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert answer.json["errors"][0]["pointer"] == pointer
    assert remedy in answer.json["errors"][0]["detail"]


def test_a_plan_without_any_known_tool_says_that_no_worker_has_started(http: FlaskClient) -> None:
    answer = http.post("/api/agent/start", json={"plan": {"steps": [step()]}})

    assert answer.status_code == 503 and "No execution worker has registered" in answer.json["detail"]
    assert answer.headers["Retry-After"]


def test_malformed_json_names_the_position(http: FlaskClient) -> None:
    answer = http.post("/api/agent/start", data='{\n  "request": "x",\n}', content_type="application/json")

    assert answer.status_code == 400 and "line 2, column 17" in answer.json["detail"]


@pytest.mark.parametrize("body", [b"", b"  ", b"[" * 5_000, b'{"request": "\\ud800"}', b"\xff\xfe"])
def test_bytes_that_are_no_json_are_a_400(http: FlaskClient, body: bytes) -> None:
    answer = http.post("/api/agent/start", data=body, content_type="application/json")

    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


def test_another_content_type_is_a_415_that_names_the_right_one(http: FlaskClient) -> None:
    answer = http.post("/api/agent/start", data={"request": "x"})

    assert answer.status_code == 415 and "application/json" in answer.json["detail"]


def test_a_body_of_two_megabytes_is_a_413_that_names_the_limit(http: FlaskClient) -> None:
    answer = http.post("/api/agent/start", json={"request": "x" * 2_000_000})

    assert answer.status_code == 413 and "1048576 bytes" in answer.json["detail"]


@pytest.mark.parametrize("run_id", ["0191e0a0-0000-7000-8000-000000000000", "nonsense", "a%00b"])
@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/events"), ("POST", "/cancel")])
def test_an_unknown_run_is_a_404(http: FlaskClient, run_id: str, method: str, path: str) -> None:
    answer = http.open(f"/api/runs/{run_id}{path}", method=method)

    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert "There is no run" in answer.json["detail"]


def test_a_run_of_another_tenant_is_a_404(http: FlaskClient, run: HandWrittenRun) -> None:
    from services.access import api_keys

    _, secret = api_keys.create("somebody-else", "theirs")
    mine = http.get(f"/api/runs/{run.id}")
    theirs = http.get(f"/api/runs/{run.id}", headers={"X-API-Key": secret})

    assert (mine.status_code, theirs.status_code) == (200, 404)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("cursor=!!", "cursor"),
        ("status=done", "status"),
        ("page=2", "page"),
    ],
)
def test_a_faulty_parameter_is_named(http: FlaskClient, query: str, parameter: str) -> None:
    answer = http.get(f"/api/runs?{query}")

    assert answer.status_code == 400 and answer.json["errors"][0]["pointer"] == f"?{parameter}"


def test_an_unknown_address_and_a_wrong_method_are_problems_too(http: FlaskClient) -> None:
    nowhere, wrong = http.get("/nowhere"), http.delete("/api/agent/start")

    assert (nowhere.status_code, nowhere.content_type) == (404, "application/problem+json")
    assert (wrong.status_code, wrong.content_type) == (405, "application/problem+json")
    assert "POST" in wrong.json["detail"] and "POST" in wrong.headers["Allow"]


def test_a_failure_nobody_foresaw_is_a_problem_without_its_secrets(
    http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode() -> None:
        raise RuntimeError("the password is hunter2")

    http.application.add_url_rule("/explode", view_func=explode)
    monkeypatch.setitem(scopes.NEEDED, "GET /explode", scopes.ANYBODY)
    answer = http.get("/explode")

    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "hunter2" not in answer.text


def test_an_idempotency_key_that_can_not_be_kept_is_refused(http: FlaskClient) -> None:
    answer = http.post("/api/agent/start", json={"request": "x"}, headers={"Idempotency-Key": "k" * 256})

    assert answer.status_code == 400 and "Idempotency-Key" in answer.json["detail"]


@pytest.mark.parametrize(
    "sent", ["NONSENSE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nA: " + "b" * 20_000 + "\r\n\r\n"]
)
def test_what_is_not_even_http_gets_a_problem_and_no_html(gateway: Gateway, sent: str) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(sent.encode())
        answer = connection.recv(65_536).decode()

    assert answer.split()[1].startswith("4") and "application/problem+json" in answer and "<html" not in answer


def test_a_body_that_is_too_large_is_answered_before_the_connection_ends(gateway: Gateway) -> None:
    answer = httpx2.post(f"{gateway.url}/api/agent/start", json={"request": "x" * 2_000_000})

    assert answer.status_code == 413 and answer.headers["content-type"] == "application/problem+json"
