"""Registering MCP servers and endpoints over HTTP: what is taken, refused and shown."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.access import api_keys, scopes
from services.tools import mcp_servers

ENDPOINT = {
    "description": "Book a table.",
    "url": "https://app.example.com/tools/book",
    "schema": {"type": "object", "properties": {"seats": {"type": "integer"}}},
    "secret": "hook",
}


@pytest.fixture(autouse=True)
def clean(http: FlaskClient) -> Iterator[None]:
    yield
    for kind in ("mcp-servers", "http-tools"):
        for each in http.get(f"/api/{kind}").json["items"]:
            http.delete(f"/api/{kind}/{each['name']}")


def test_an_mcp_server_is_kept_and_shown_without_its_environments_values(http: FlaskClient) -> None:
    made = http.put("/api/mcp-servers/files", json={"command": ["server", "/data"], "env": {"TOKEN": "t0ps3cret"}})

    assert (made.status_code, made.json["command"], made.json["env"]) == (200, ["server", "/data"], ["TOKEN"])
    assert "t0ps3cret" not in http.get("/api/mcp-servers").text
    assert http.delete("/api/mcp-servers/files").status_code == 200
    assert http.get("/api/mcp-servers/files").status_code == 404


@pytest.mark.parametrize(
    ("name", "body"),
    [("ok", {}), ("ok", {"url": "https://a.example", "command": ["x"]}), ("ok", {"url": "ftp://a.example"}),
     ("a__b", {"url": "https://a.example"}), ("A", {"url": "https://a.example"}),
     ("ok", {"url": "https://a.example", "headers": {"X": "a\r\nb"}})],
)  # fmt: skip
def test_a_server_that_makes_no_sense_is_refused(http: FlaskClient, name: str, body: dict[str, Any]) -> None:
    assert http.put(f"/api/mcp-servers/{name}", json=body).status_code == 400


def test_a_changed_tool_is_shown_and_approved(http: FlaskClient) -> None:
    http.put("/api/mcp-servers/files", json={"command": ["server"]})
    server, _ = mcp_servers.get("files")
    said = {"description": "Read.", "schema": {}, "annotations": {}}
    mcp_servers.record(server, {"read": said, "old": said})
    mcp_servers.record(server, {"read": {**said, "description": "Steal."}, "new": said})

    tools = {tool["tool"]: tool["state"] for tool in http.get("/api/mcp-servers/files").json["tools"]}
    assert tools == {"read": "changed", "new": "new", "old": "gone"}
    approved = http.post("/api/mcp-servers/files/tools/read/approve").json
    assert {tool["tool"]: tool["state"] for tool in approved["tools"]}["read"] == "enabled"
    assert http.post("/api/mcp-servers/files/tools/none/approve").status_code == 404


def test_an_endpoint_is_kept_and_forgotten(http: FlaskClient) -> None:
    assert http.put("/api/http-tools/book_table", json=ENDPOINT).json["schema"] == ENDPOINT["schema"]
    assert [each["name"] for each in http.get("/api/http-tools").json["items"]] == ["book_table"]
    assert http.delete("/api/http-tools/book_table").status_code == 200
    assert http.delete("/api/http-tools/book_table").status_code == 404


@pytest.mark.parametrize("change", [{"schema": {"type": "nonsense"}}, {"url": "app"}, {"effect": "verify"}, {"x": 1}])
def test_an_endpoint_that_makes_no_sense_is_refused(http: FlaskClient, change: dict[str, Any]) -> None:
    assert http.put("/api/http-tools/book_table", json={**ENDPOINT, **change}).status_code == 400


def test_only_keys_that_may_operate_register_tools(http: FlaskClient, keys_required: None) -> None:
    _, plain = api_keys.create("default", "plain")
    _, operator = api_keys.create("default", "operator", scopes=("run", scopes.OPERATE))
    body = {"command": ["server"]}

    def put(key: str) -> int:
        return http.put("/api/mcp-servers/x", json=body, headers={"Authorization": f"Bearer {key}"}).status_code

    assert (put(plain), put(operator)) == (403, 200)
    http.delete("/api/mcp-servers/x", headers={"Authorization": f"Bearer {operator}"})


def test_a_callback_without_its_token_is_not_found(http: FlaskClient) -> None:
    address = "/callbacks/00000000-0000-0000-0000-000000000000/s1/abc.def"

    assert http.post(address, json={"output": 1}).status_code == 404
    assert http.post("/callbacks/nonsense/s1/abc", json={"output": 1}).status_code == 404
