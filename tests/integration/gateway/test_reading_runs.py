"""Reading: lists in pages, one run in full, cancelling, the tools, readiness, the page."""

import gzip
import re
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from gateway import page
from services.access import api_keys
from services.journal import workers
from tests.integration.gateway.conftest import HandWrittenRun, count


def test_pages_of_runs_join_without_gap_or_double(http: FlaskClient) -> None:
    _, secret = api_keys.create(str(uuid4()), "pages")
    headers = {"X-API-Key": secret}
    started = [
        http.post("/api/agent/start", json={"request": str(number)}, headers=headers).json["workflowId"]
        for number in range(7)
    ]
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        answer = http.get(f"/api/runs?limit=3&cursor={cursor}", headers=headers).json
        seen += [item["id"] for item in answer["items"]]
        cursor = answer["next"]

    assert seen == started[::-1]


def test_runs_are_filtered_by_status(http: FlaskClient) -> None:
    _, secret = api_keys.create(str(uuid4()), "filter")
    headers = {"X-API-Key": secret}
    keep = http.post("/api/agent/start", json={"request": "keep"}, headers=headers).json["workflowId"]
    stop = http.post("/api/agent/start", json={"request": "stop"}, headers=headers).json["workflowId"]
    http.post(f"/api/runs/{stop}/cancel", headers=headers)

    def ids(status: str) -> list[str]:
        return [item["id"] for item in http.get(f"/api/runs?status={status}", headers=headers).json["items"]]

    assert (ids("queued"), ids("cancelled")) == ([keep], [stop])


def test_runs_are_found_by_text_agent_label_time_and_whether_they_live(http: FlaskClient) -> None:
    _, secret = api_keys.create(str(uuid4()), "search")
    headers = {"X-API-Key": secret}

    def start(**body: Any) -> str:
        return http.post("/api/agent/start", json=body, headers=headers).json["workflowId"]

    report = start(request="The 100% Report", agent="scribe", labels={"team": "red", "shop": "berlin"})
    other = start(request="Another thing", labels={"team": "blue"})
    http.post(f"/api/runs/{other}/cancel", headers=headers)
    made = http.get(f"/api/runs/{other}", headers=headers).json["createdAt"]

    def ids(**asked: str) -> list[str]:
        found = http.get("/api/runs", query_string=asked, headers=headers).json["items"]
        return [item["id"] for item in found]

    assert ids(text="100% rep") == ids(agent="scribe") == ids(label="team:red") == ids(status="live") == [report]
    assert ids(text="%") == [report]
    assert ids(text="100_") == ids(text="thing", label="team:red") == []
    assert ids(text=other) == ids(since=made) == [other]
    assert ids(until=made) == [report]


def test_cancelling_a_queued_run_ends_it_and_doing_it_again_changes_nothing(
    http: FlaskClient, run: HandWrittenRun
) -> None:
    first = http.post(f"/api/runs/{run.id}/cancel")
    again = http.post(f"/api/runs/{run.id}/cancel")

    assert (first.status_code, first.json["status"]) == (202, "cancelled")
    assert (again.status_code, again.json) == (202, first.json)
    assert count("select count(*) from events where run_id = %s and name = 'run.cancelled'", run.id) == 1


def test_the_tools_are_listed_with_their_schemas(http: FlaskClient, tools: None) -> None:
    items = http.get("/api/tools").json["items"]

    assert [item["name"] for item in items] == ["echo", "wait_for"]
    assert items[0]["schema"]["required"] == ["text"]


def test_readiness_names_every_missing_part_and_turns_green(http: FlaskClient, tools: None) -> None:
    before = http.get("/readyz")
    for kind in ("planning", "execution", "reflection"):
        workers.beat(f"{kind}@here", kind, "here", 1, 1.0)
    after = http.get("/readyz")
    for kind in ("planning", "execution", "reflection"):
        workers.release(f"{kind}@here", "handed_back")

    assert (before.status_code, before.content_type) == (503, "application/problem+json")
    assert [error["pointer"] for error in before.json["errors"]] == ["#/planning", "#/execution", "#/reflection"]
    assert after.status_code == 200


def test_every_answer_carries_the_security_headers(http: FlaskClient) -> None:
    for path in ("/", "/api/runs", "/nowhere", "/healthz"):
        headers = http.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_the_files_of_the_page_come_compressed_and_are_not_sent_twice(http: FlaskClient) -> None:
    plain = http.get("/static/app.mjs")
    packed = http.get("/static/app.mjs", headers={"Accept-Encoding": "gzip"})
    again = http.get("/static/app.mjs", headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})

    assert gzip.decompress(packed.data) == plain.data == (page.STATIC / "app.mjs").read_bytes()
    assert packed.headers["Content-Encoding"] == "gzip" and packed.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in plain.headers
    assert (again.status_code, again.data) == (304, b"")


def test_files_that_the_page_names_are_kept_and_others_are_asked_for_again(http: FlaskClient) -> None:
    named = re.findall(r'href="(/static/[^"]+/app.mjs)"', http.get("/").text)
    kept, asked = http.get(named[0]), http.get("/static/app.mjs")
    outdated = http.get("/static/v0123456789abcdef/app.mjs")

    assert "immutable" in kept.headers["Cache-Control"]
    assert asked.headers["Cache-Control"] == outdated.headers["Cache-Control"] == "no-cache"
    assert kept.data == asked.data == outdated.data
    assert http.get("/static/v0123456789abcdef/../app.py").status_code == 404


def test_the_page_gets_a_new_nonce_each_time(
    http: FlaskClient, tmp_path: "pytest.TempPathFactory", monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text('<script nonce="{{ nonce }}">1</script>')  # type: ignore[operator]
    monkeypatch.setattr(page, "STATIC", tmp_path)
    first, second = http.get("/"), http.get("/")
    nonce = first.text.split('"')[1]

    assert f"'nonce-{nonce}'" in first.headers["Content-Security-Policy"] and "{{" not in first.text
    assert first.text != second.text
