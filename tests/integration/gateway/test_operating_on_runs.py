"""Surgery, dead letters, why, diff and doctor over HTTP and by the command line, on runs that the test moves itself."""

import json
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from services import database
from services.access import api_keys
from services.journal import runs
from tests.integration.gateway.conftest import Gateway, count
from tests.integration.gateway.test_the_client import perdure
from tests.integration.journal.conftest import Existing, Hand
from tests.integration.journal.conftest import tools as tools  # noqa: PLC0414 (a fixture)

CHAIN = (("a",), ("b", "say", "", {"text": "${a}"}))


@pytest.fixture
def red() -> dict[str, str]:
    """A label of this test alone."""
    return {"test": str(uuid4())}


def broken(**more: Any) -> Hand:
    run = Hand(*CHAIN, **more)
    run.succeed("a", output="first")
    run.fail("b")
    run.end("b failed")
    return run


def miscount(run: Hand) -> None:
    with database.session() as session:
        session.execute(text("update runs set open_steps = 9 where id = :run"), {"run": run.id})


def test_a_run_is_paused_and_resumed(http: FlaskClient, tools: Any) -> None:
    run = Hand(("a",))
    paused = http.post(f"/api/runs/{run.id}/pause")
    explained = http.get(f"/api/runs/{run.id}/why")
    resumed = http.post(f"/api/runs/{run.id}/resume")

    assert (paused.status_code, paused.json["status"]) == (202, "paused")
    assert paused.json["pausedAt"] is not None
    assert (explained.status_code, explained.json["kind"]) == (200, "paused")
    assert (resumed.json["status"], resumed.json["pausedAt"]) == ("executing", None)


def test_steps_are_changed_and_shown_as_they_stand_then(http: FlaskClient, tools: Any) -> None:
    run = Hand(("a",), ("b",), ("c",), ("d", "pay"), ("e", "pay"), ("f", "pay"), required=False)
    run.fail("a")
    for step in "def":
        run.lose(step)
    at = f"/api/runs/{run.id}/steps"
    answers = {
        "a": http.post(f"{at}/a/retry"),
        "b": http.post(f"{at}/b/override", json={"output": None}),
        "c": http.post(f"{at}/c/rerun", json={"arguments": {"text": "new"}}),
        "d": http.post(f"{at}/d/resolve", json={"as": "done", "output": {"paid": 3}}),
        "e": http.post(f"{at}/e/resolve", json={"as": "again"}),
        "f": http.post(f"{at}/f/resolve", json={"as": "skip"}),
    }

    assert {step: (answer.status_code, answer.json["status"]) for step, answer in answers.items()} == {
        "a": (202, "ready"),
        "b": (202, "succeeded"),
        "c": (202, "ready"),
        "d": (202, "succeeded"),
        "e": (202, "ready"),
        "f": (202, "skipped"),
    }
    assert answers["c"].json["arguments"] == {"text": "new"}
    assert answers["d"].json["output"] == {"paid": 3}
    assert http.post(f"{at}/a/skip").json["status"] == "skipped"
    history = http.get(f"{at}/d/attempts").json["items"]
    assert [attempt["outcome"] for attempt in history] == ["lost", "overridden"]


def test_doubts_are_listed(http: FlaskClient, tools: Any) -> None:
    run = Hand(("a", "pay"))
    run.lose("a")
    items = http.get("/api/doubts").json["items"]

    assert [item["id"] for item in items if item["workflowId"] == run.id] == ["a"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("steps/a/retry", None, 409),
        ("steps/none/retry", None, 404),
        ("steps/a/resolve", {"as": "done", "output": 1}, 409),
        ("steps/a/resolve", {"as": "done"}, 400),
        ("steps/a/resolve", {"as": "again", "output": 1}, 400),
        ("steps/a/override", {}, 400),
        ("steps/a/rerun", {"arguments": {"nope": 1}}, 400),
        ("fork", {}, 409),
        ("fork", {"fromStep": "nowhere"}, 400),
        ("fork", {"patches": {"a": {}}}, 400),
    ],
)
def test_what_is_not_possible_is_a_problem(http: FlaskClient, tools: Any, path: str, body: Any, status: int) -> None:
    run = Hand(("a",))
    before = run.names()
    answer = http.post(f"/api/runs/{run.id}/{path}", **({} if body is None else {"json": body}))

    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert run.names() == before


def test_a_fork_is_started_like_a_run_and_its_lineage_and_difference_are_shown(http: FlaskClient, tools: Any) -> None:
    run = broken()
    answer = http.post(f"/api/runs/{run.id}/fork", json={"patches": {"b": {"output": "mended"}}})
    fork = answer.json["workflowId"]
    Existing(fork).end()

    assert (answer.status_code, answer.headers["Location"]) == (202, f"/api/runs/{fork}")
    shown = http.get(f"/api/runs/{fork}").json
    assert (shown["forkedFrom"], shown["steps"][0]["reusedFrom"]) == (run.id, run.id)
    line = http.get(f"/api/runs/{run.id}/lineage").json
    assert [each["id"] for each in line["forks"]] == [fork] and line["ancestors"] == []
    found = http.get(f"/api/runs/{run.id}/diff/{fork}").json
    assert found["same"] == ["a"]
    assert {change["field"] for change in found["steps"][0]["changes"]} == {"status", "output", "error"}


def test_dead_letters_are_listed_in_pages_shown_and_settled(http: FlaskClient, tools: Any, red: dict[str, str]) -> None:
    made = [broken(labels=red) for _ in range(3)]
    label = f"test:{red['test']}"
    page = http.get("/api/dead-letters", query_string={"label": label, "limit": 2}).json
    rest = http.get("/api/dead-letters", query_string={"label": label, "limit": 2, "cursor": page["next"]}).json
    letter = page["items"][0]
    shown = http.get(f"/api/dead-letters/{letter['id']}").json
    resumed = http.post(f"/api/dead-letters/{letter['id']}/resume")
    again = http.post(f"/api/dead-letters/{letter['id']}/resume")

    assert [item["workflowId"] for item in page["items"] + rest["items"]] == [run.id for run in reversed(made)]
    assert rest["next"] is None
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["failed"]
    assert (resumed.status_code, resumed.json["resolution"]) == (202, "resumed")
    assert resumed.json["continuesAs"] == resumed.json["successor"]
    assert Existing(resumed.json["continuesAs"]).statuses() == {"a": "succeeded", "b": "ready"}
    assert again.status_code == 409


def test_the_attempts_of_all_steps_are_listed(http: FlaskClient, tools: Any) -> None:
    run = broken()
    ended = http.get(f"/api/runs/{run.id}/attempts").json["items"]

    assert [(each["stepId"], each["attempt"], each["outcome"]) for each in ended] == [
        ("a", 1, "succeeded"),
        ("b", 1, "failed"),
    ]
    assert ended[0]["startedAt"] <= ended[0]["finishedAt"]
    assert http.get(f"/api/runs/{uuid4()}/attempts").status_code == 404


def test_dead_letters_are_settled_in_bulk_after_a_dry_run(http: FlaskClient, tools: Any, red: dict[str, str]) -> None:
    for _ in range(2):
        broken(labels=red)
    body = {"action": "resume", "filter": {"labels": red, "reason": "attempts_exhausted"}}
    dry = http.post("/api/dead-letters/bulk", json={**body, "dryRun": True}).json
    wet = http.post("/api/dead-letters/bulk", json=body).json
    after = http.post("/api/dead-letters/bulk", json=body).json

    assert (dry["count"], wet["count"], after["count"]) == (2, 2, 0)
    assert all(item["continuesAs"] is None for item in dry["items"])
    assert {item["id"] for item in dry["items"]} == {item["id"] for item in wet["items"]}
    assert count("select count(*) from runs where labels ->> 'test' = %s", red["test"]) == 4


def test_a_wrong_filter_is_refused_and_not_taken_as_none(http: FlaskClient, tools: Any) -> None:
    for query in ("reason=bad", "label=red", "since=yesterday", "since=2026-01-01T00:00:00", "resolved=maybe", "x=1"):
        assert http.get(f"/api/dead-letters?{query}").status_code == 400
    for body in ({"action": "resume"}, {"action": "resume", "filter": {"tol": "x"}}, {"action": "x", "filter": {}}):
        assert http.post("/api/dead-letters/bulk", json=body).status_code == 400


def test_another_tenant_sees_and_touches_nothing(http: FlaskClient, tools: Any, red: dict[str, str]) -> None:
    run = broken(labels=red)
    letter = http.get("/api/dead-letters", query_string={"label": f"test:{red['test']}"}).json["items"][0]
    _, secret = api_keys.create(str(uuid4()), "other")
    headers = {"X-API-Key": secret}

    for path in (f"runs/{run.id}/why", f"runs/{run.id}/lineage", f"runs/{run.id}/diff/{run.id}"):
        assert http.get(f"/api/{path}", headers=headers).status_code == 404
    for path in (f"runs/{run.id}/pause", f"runs/{run.id}/steps/b/retry", f"dead-letters/{letter['id']}/discard"):
        assert http.post(f"/api/{path}", headers=headers).status_code == 404
    assert http.post(f"/api/runs/{run.id}/fork", headers=headers, json={}).status_code == 404
    assert http.get("/api/dead-letters", headers=headers).json["items"] == []
    assert http.get(f"/api/dead-letters/{letter['id']}", headers=headers).status_code == 404


def test_the_doctor_reports_and_repairs(http: FlaskClient, tools: Any) -> None:
    run = Hand(("a",))
    miscount(run)

    def about_it(method: str) -> list[dict[str, Any]]:
        answer = http.open("/api/doctor", method=method).json
        return [finding for finding in answer["findings"] if finding["subject"] == run.id]

    assert [(each["severity"], each["repairable"], each["repaired"]) for each in about_it("GET")] == [
        ("error", True, False)
    ]
    assert [each["repaired"] for each in about_it("POST")] == [True]
    assert about_it("GET") == []
    assert run.open_steps() == 1


def test_the_command_line_operates_on_runs(gateway: Gateway, tools: Any, red: dict[str, str]) -> None:
    run = Hand(("a",), ("b", "pay"), labels=red)
    run.lose("b")
    said = [
        perdure(gateway, "pause", run.id),
        perdure(gateway, "why", run.id),
        perdure(gateway, "resume", run.id),
        perdure(gateway, "doubts"),
        perdure(gateway, "resolve", run.id, "b", "--done", '{"paid": 1}'),
        perdure(gateway, "override", run.id, "a", "2"),
    ]

    assert [each.returncode for each in said] == [0] * len(said), [each.stderr for each in said]
    assert said[0].stdout == f"{run.id} is paused\n"
    assert "resume it" in said[1].stdout
    assert f"{run.id}  b  pay" in said[3].stdout
    assert (run.step("a").output, run.step("b").output) == (2, {"paid": 1})
    refused = perdure(gateway, "retry", run.id, "a")
    assert refused.returncode == 2 and "does not apply" in refused.stderr
    assert perdure(gateway, "resolve", run.id, "b").returncode == 2


def test_the_command_line_takes_care_of_dead_letters(gateway: Gateway, tools: Any, red: dict[str, str]) -> None:
    run, label = broken(labels=red), f"test:{red['test']}"
    listed = perdure(gateway, "dead-letters", "list", "--label", label)
    letter = listed.stdout.split()[0]
    dry = perdure(gateway, "dead-letters", "settle-all", "resume", "--label", label, "--dry-run")
    shown = perdure(gateway, "dead-letters", "show", letter)
    resumed = perdure(gateway, "dead-letters", "settle", "resume", letter)
    fork = resumed.stdout.strip()
    diff = perdure(gateway, "diff", run.id, fork)

    assert "attempts_exhausted  step b (say): it broke" in listed.stdout
    assert f"{letter}  {run.id}" in dry.stdout
    assert json.loads(shown.stdout)["attempts"][0]["outcome"] == "failed"
    assert runs.get("default", fork).forked_from == runs.parse_id(run.id)
    assert "the same: a" in diff.stdout
    assert "No dead letter fits" in perdure(gateway, "dead-letters", "list", "--label", label).stderr


def test_perdure_doctor_exits_with_what_is_left(gateway: Gateway, tools: Any) -> None:
    run = Hand(("a",))
    miscount(run)
    found = perdure(gateway, "doctor", "--json")
    fixed = perdure(gateway, "doctor", "--fix")

    assert found.returncode == 1
    assert run.id in [finding["subject"] for finding in json.loads(found.stdout)]
    assert f"a run's count of open steps is right: {run.id}" in fixed.stdout and "Mended." in fixed.stdout
    assert run.open_steps() == 1
