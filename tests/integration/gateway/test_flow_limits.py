"""Flow limits over HTTP and by the command line."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from services import database
from services.access import api_keys, scopes
from tests.integration.gateway.conftest import Gateway
from tests.integration.gateway.test_the_client import perdure


@pytest.fixture(autouse=True)
def no_limits(servers: Any) -> Iterator[None]:
    yield
    with database.session() as session:
        session.execute(text("delete from flow_waits"))
        session.execute(text("delete from flow_keys"))


def test_a_limit_is_set_shown_paused_resumed_and_removed(http: FlaskClient) -> None:
    made = http.put("/api/flow/tool:echo", json={"parallelism": 2, "rate": 10})
    listed = http.get("/api/flow")
    paused = http.post("/api/flow/tool:echo/pause")
    resumed = http.post("/api/flow/tool:echo/resume")
    removed = http.delete("/api/flow/tool:echo")

    counts = {"running": 0, "waiting": 0, "started": 0}
    limit = {"key": "tool:echo", "parallelism": 2, "rate": 10, "period": 1.0, "paused": False, **counts}
    assert (made.status_code, made.json) == (200, limit)
    assert listed.json["items"] == [limit]
    assert paused.json["paused"] is True
    assert resumed.json["paused"] is False
    assert removed.status_code == 200
    assert http.get("/api/flow/tool:echo").status_code == 404
    assert http.delete("/api/flow/tool:echo").status_code == 404


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("tool:echo", {}),
        ("tool:echo", {"period": 3, "parallelism": 1}),
        ("tool:echo", {"parallelism": 0}),
        ("tool:echo", {"rate": 5000}),
        ("a/b", {"parallelism": 1}),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(http: FlaskClient, key: str, body: dict[str, Any]) -> None:
    assert http.put(f"/api/flow/{key}", json=body).status_code == 400


def test_limits_of_the_whole_system_are_for_operators_only(http: FlaskClient, keys_required: None) -> None:
    _, plain = api_keys.create("red", "plain", scopes=(scopes.ADMIN,))
    _, operator = api_keys.create("red", "operator", scopes=("run", scopes.OPERATE))
    body = {"parallelism": 1}

    def put(key: str, secret: str) -> int:
        return http.put(f"/api/flow/{key}", json=body, headers={"Authorization": f"Bearer {secret}"}).status_code

    assert put("tool:echo", plain) == 403
    assert put("tenant:red", plain) == 403
    assert put("printer", plain) == 200
    assert put("tool:echo", operator) == 200


def test_a_tenant_sees_no_limit_of_another(http: FlaskClient, keys_required: None) -> None:
    _, red = api_keys.create("red", "r")
    _, blue = api_keys.create("blue", "b")
    http.put("/api/flow/printer", json={"parallelism": 1}, headers={"Authorization": f"Bearer {red}"})
    seen = http.get("/api/flow", headers={"Authorization": f"Bearer {blue}"})

    assert seen.json["items"] == []
    assert http.get("/api/flow/printer", headers={"Authorization": f"Bearer {blue}"}).status_code == 404


@pytest.mark.parametrize("priority", [0, 6, "high"])
def test_a_priority_is_one_to_five(http: FlaskClient, tools: None, priority: Any) -> None:
    answer = http.post("/api/agent/start", json={"request": "x", "priority": priority})

    assert answer.status_code == 400


def test_a_run_keeps_its_priority(http: FlaskClient, tools: None) -> None:
    step = {"id": "a", "tool": "echo", "arguments": {"text": "x"}, "flow": "printer"}
    made = http.post("/api/agent/start", json={"plan": {"steps": [step]}, "priority": 1})
    run = http.get(f"/api/runs/{made.json['workflowId']}").json

    assert run["priority"] == 1
    assert run["steps"][0]["flow"] == "printer"


def test_the_command_line_sets_and_lists_limits(gateway: Gateway) -> None:
    made = perdure(gateway, "flow", "set", "tool:echo", "--parallelism", "3", "--rate", "5", "--period", "2")
    paused = perdure(gateway, "flow", "pause", "tool:echo")
    listed = perdure(gateway, "flow", "list")
    resumed = perdure(gateway, "flow", "resume", "tool:echo")
    removed = perdure(gateway, "flow", "remove", "tool:echo")

    assert made.stdout == "tool:echo  0 of 3 running, 0 waiting, 0 of 5 started in 2 s\n"
    assert paused.returncode == 0
    assert listed.stdout.endswith("started in 2 s, paused\n")
    assert "paused" not in resumed.stdout
    assert removed.returncode == 0
