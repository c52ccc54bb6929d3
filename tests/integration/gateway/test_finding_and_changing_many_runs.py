"""Lists that are sorted, told in more detail, and paged; and one thing done to all runs that fit."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from services.access import api_keys

CALL = {"steps": [{"id": "a", "tool": "echo", "arguments": {"text": "hi"}}]}


@pytest.fixture
def headers(servers: Any) -> dict[str, str]:
    """A tenant of its own."""
    return {"X-API-Key": api_keys.create(str(uuid4()), "lists")[1]}


def start(http: FlaskClient, headers: dict[str, str], **body: Any) -> str:
    return str(http.post("/api/agent/start", json=body, headers=headers).json["workflowId"])


def ids(http: FlaskClient, headers: dict[str, str], query: str) -> list[str]:
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = http.get(f"/api/runs?{query}&limit=2&cursor={cursor}", headers=headers).json
        seen += [run["id"] for run in page["items"]]
        cursor = page["next"]
    return seen


def bulk(http: FlaskClient, headers: dict[str, str], action: str, dry_run: bool = False, **wanted: Any) -> Any:
    body = {"action": action, "filter": wanted, "dryRun": dry_run}
    return http.post("/api/runs/bulk", json=body, headers=headers).json


def test_runs_are_sorted_by_creation_or_end_in_pages(http: FlaskClient, headers: dict[str, str]) -> None:
    first, second, third = (start(http, headers, request=str(number)) for number in range(3))
    for run_id in (third, first):
        http.post(f"/api/runs/{run_id}/cancel", headers=headers)

    assert ids(http, headers, "sort=createdAt") == [first, second, third]
    assert ids(http, headers, "sort=-createdAt") == [third, second, first]
    assert ids(http, headers, "sort=finishedAt") == [third, first]
    assert ids(http, headers, "sort=-finishedAt") == [first, third]
    assert ids(http, headers, "status=cancelled&status=live") == [third, second, first]


def test_include_tells_more_of_a_run(http: FlaskClient, headers: dict[str, str], tools: None) -> None:
    run_id = start(http, headers, plan=CALL)
    every = "&".join(
        f"include={part}" for part in ("steps", "plan", "budget", "events", "approvals", "attempts", "usage")
    )
    listed = http.get(f"/api/runs?{every}", headers=headers).json["items"][0]
    shown = http.get(f"/api/runs/{run_id}?include=events", headers=headers).json

    assert [step["id"] for step in listed["steps"]] == ["a"] and listed["plan"]["source"] == "caller"
    assert (listed["budget"], listed["approvals"], listed["attempts"]) == (None, [], [])
    assert listed["modelUse"]["calls"] == 0
    assert [event["name"] for event in listed["events"]] == ["run.created", "plan.created"]
    assert shown["events"] == listed["events"] and shown["steps"] == listed["steps"]


def test_a_dry_run_says_which_and_does_nothing(http: FlaskClient, headers: dict[str, str]) -> None:
    red = start(http, headers, request="x", labels={"team": "red"})
    start(http, headers, request="x", labels={"team": "blue"})
    told = bulk(http, headers, "cancel", dry_run=True, labels={"team": "red"})

    assert [each["workflowId"] for each in told["items"]] == [red] and told["count"] == 1 and told["dryRun"]
    assert len(ids(http, headers, "status=live")) == 2


def test_many_runs_are_paused_resumed_cancelled_and_retried(http: FlaskClient, headers: dict[str, str]) -> None:
    runs = [start(http, headers, request=f"order number {number}") for number in range(3)]
    paused = bulk(http, headers, "pause")
    resumed = bulk(http, headers, "resume", text="number 1")
    cancelled = bulk(http, headers, "cancel", status=["paused"])
    retried = bulk(http, headers, "retry", status=["cancelled"])

    assert {each["workflowId"] for each in paused["items"]} == set(runs) and paused["count"] == 3
    assert [each["workflowId"] for each in resumed["items"]] == [runs[1]]
    assert {each["workflowId"] for each in cancelled["items"]} == {runs[0], runs[2]}
    forks = {each["continuesAs"] for each in retried["items"]}
    assert len(forks) == 2 and set(ids(http, headers, "status=live")) == {runs[1], *forks}


def test_what_an_action_means_nothing_for_is_left_alone(http: FlaskClient, headers: dict[str, str]) -> None:
    run_id = start(http, headers, request="x")

    assert bulk(http, headers, "retry")["items"] == bulk(http, headers, "resume")["items"] == []
    assert http.get(f"/api/runs/{run_id}", headers=headers).json["status"] == "queued"


def test_at_most_limit_are_taken_and_the_rest_is_told_of(http: FlaskClient, headers: dict[str, str]) -> None:
    for number in range(3):
        start(http, headers, request=str(number))
    body = {"action": "cancel", "filter": {}, "limit": 2}
    told = http.post("/api/runs/bulk", json=body, headers=headers).json

    assert (told["count"], told["more"]) == (2, True)
    assert len(ids(http, headers, "status=live")) == 1
