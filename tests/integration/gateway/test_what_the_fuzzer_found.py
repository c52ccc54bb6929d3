"""Each of these was a failure of the API that schemathesis found once."""

from typing import Any

import pytest
from flask.testing import FlaskClient

SCHEDULE = {"name": "fuzzed", "cron": "0 9 * * *", "run": {"request": "What is on today?"}}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/runs/bulk", "OPTIONS, POST"),
        ("DELETE", "/api/memory/export", "GET, HEAD, OPTIONS"),
        ("PATCH", "/api/webhooks/events", "GET, HEAD, OPTIONS"),
        ("PUT", "/api/flow/mine/pause", "OPTIONS, POST"),
    ],
)
def test_an_address_with_words_of_its_own_is_not_a_thing_of_that_name(
    http: FlaskClient, method: str, path: str, allowed: str
) -> None:
    refused, asked = http.open(path, method=method), http.options(path)

    assert (refused.status_code, asked.status_code) == (405, 200)
    assert refused.headers["Allow"] == asked.headers["Allow"] == allowed


def test_a_number_like_3_0_is_a_whole_one(http: FlaskClient) -> None:
    kept = http.put("/api/queues/fuzzed", json={"parallelism": 3.0})
    broken = http.put("/api/queues/fuzzed", json={"parallelism": 3.5})
    nested = http.post("/api/agent/start", json={"request": "x", "budget": {"steps": 4.0, "money": 0.5}})

    assert (kept.status_code, kept.json["parallelism"]) == (200, 3)
    assert broken.status_code == 400 and nested.status_code == 202


def test_null_leaves_a_field_of_a_schedule_as_it_is(http: FlaskClient) -> None:
    http.post("/api/schedules", json=SCHEDULE)
    changed = http.patch(
        "/api/schedules/fuzzed", json={"timezone": None, "overlap": None, "cron": None, "paused": True}
    )
    moved = http.patch("/api/schedules/fuzzed", json={"at": "2099-01-01T00:00:00Z", "timezone": None})
    http.delete("/api/schedules/fuzzed")

    assert (changed.json["cron"], changed.json["timezone"], changed.json["paused"]) == ("0 9 * * *", "UTC", True)
    assert (moved.json["cron"], moved.json["at"]) == (None, "2099-01-01T00:00:00.000Z")


def test_a_backfill_of_a_thousand_years_starts_what_one_call_can_wait_for(http: FlaskClient) -> None:
    http.post("/api/schedules", json=SCHEDULE)
    times = {"since": "2030-01-01T00:00:00Z", "until": "3030-01-01T00:00:00Z", "dryRun": True}
    filled = http.post("/api/schedules/fuzzed/backfill", json=times)
    http.delete("/api/schedules/fuzzed")

    assert len(filled.json["items"]) == 200


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("text=%00", "text"),
        ("since=12", "since"),
        ("since=2026-01-31T12:00:00", "since"),
        ("until=9999-12-31T23:59:59-12:00", "until"),
        ("limit=5&limit=6", "limit"),
        ("cursor=1-x", "cursor"),
        ("label=red", "label"),
        ("include=everything", "include"),
    ],
)
def test_a_parameter_that_can_not_be_meant_is_refused(http: FlaskClient, query: str, parameter: str) -> None:
    answer = http.get(f"/api/runs?{query}")

    assert answer.status_code == 400 and answer.json["errors"][0]["pointer"] == f"?{parameter}"


@pytest.mark.parametrize("at", [0, "2026-01-31", "2026-01-31T12:00:00", "tomorrow"])
def test_a_time_in_a_body_is_an_rfc_3339_one_with_its_zone(http: FlaskClient, at: Any) -> None:
    answer = http.post("/api/memory", json={"text": "x", "at": at})

    assert answer.status_code == 400 and answer.json["errors"][0]["pointer"] == "#/at"
