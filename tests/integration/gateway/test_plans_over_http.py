"""Plans over HTTP: what one will take, and looking at the plan of a run before anything of it runs."""

from typing import Any

from flask.testing import FlaskClient

from tests.integration.journal.conftest import Hand
from tests.integration.journal.conftest import tools as tools  # noqa: PLC0414 (a fixture)

CHAIN = (("a",), ("b", "say", "", {"text": "${a}"}))


def test_a_held_plan_is_shown_as_it_would_be_written_and_put_back(http: FlaskClient, tools: Any) -> None:
    run = Hand(*CHAIN, review=True)
    shown = http.get(f"/api/runs/{run.id}/plan").json
    steps = [*shown["steps"], {"id": "c", "tool": "send", "arguments": {"to": "ada"}, "dependsOn": ["b"], "timeout": 7}]
    put = http.put(f"/api/runs/{run.id}/plan", json={"steps": steps, "revision": shown["revision"]})
    again = http.put(f"/api/runs/{run.id}/plan", json={"steps": steps, "revision": shown["revision"]})

    assert shown["steps"][1] == {"id": "b", "tool": "say", "arguments": {"text": "${a}"}, "dependsOn": ["a"]}
    assert (shown["awaitsReview"], shown["revision"], shown["source"]) == (True, 1, "caller")
    assert (put.status_code, put.json["revision"], put.json["steps"][2]) == (200, 2, steps[2])
    assert (again.status_code, again.json["status"]) == (409, 409)


def test_every_fault_of_a_changed_plan_is_told_at_its_field(http: FlaskClient, tools: Any) -> None:
    run = Hand(*CHAIN, review=True)
    steps = [
        {"id": "a", "tool": "say", "arguments": {"text": 7}},
        {"id": "b", "tool": "sing"},
        {"id": "c", "tool": "say", "dependsOn": ["z"]},
    ]
    put = http.put(f"/api/runs/{run.id}/plan", json={"steps": steps, "revision": 1})
    empty = http.put(f"/api/runs/{run.id}/plan", json={"steps": [], "revision": 1})
    preview = http.post("/api/plans/preview", json={"plan": {"steps": steps}})

    assert put.status_code == preview.status_code == 422
    pointers = ["#/steps/0/arguments/text", "#/steps/1/tool", "#/steps/2/dependsOn/0"]
    assert [fault["pointer"] for fault in put.json["errors"]] == pointers
    assert [fault["pointer"].replace("#/plan", "#") for fault in preview.json["errors"]] == pointers
    assert empty.json["errors"][0]["pointer"] == "#/steps"


def test_a_changed_plan_stays_within_the_budget_of_its_run(http: FlaskClient, tools: Any) -> None:
    run = Hand(("a",), review=True, budget={"limits": {"steps": 1}, "onExceed": "stop"})
    steps = [{"id": "a", "tool": "say"}, {"id": "b", "tool": "say"}]
    put = http.put(f"/api/runs/{run.id}/plan", json={"steps": steps, "revision": 1})

    assert (put.status_code, put.json["errors"][0]["pointer"]) == (422, "#/steps")


def test_a_forecast_is_made_of_what_tools_took_lately(http: FlaskClient, tools: Any) -> None:
    before = Hand(("a",), ("b",))
    before.succeed("a", "b")
    before.end()
    plan = {"steps": [{"id": "one", "tool": "say"}, {"id": "two", "tool": "pay", "dependsOn": ["one"]}]}
    found = http.post("/api/plans/preview", json={"plan": plan}).json

    assert found["steps"]["one"]["samples"] >= 2 and found["steps"]["one"]["seconds"] >= 0
    assert (found["steps"]["two"], found["unknown"], found["cost"]) == (None, ["two"], 0)
    assert found["seconds"] >= found["steps"]["one"]["seconds"]


def test_the_plans_that_wait_for_a_look_are_listed(http: FlaskClient, tools: Any) -> None:
    run = Hand(("a",), review=True)
    waiting = [each["id"] for each in http.get("/api/reviews").json["items"]]
    why = http.get(f"/api/runs/{run.id}/why").json
    resumed = http.post(f"/api/runs/{run.id}/resume").json
    left = [each["id"] for each in http.get("/api/reviews").json["items"]]

    assert run.id in waiting and run.id not in left
    assert (why["kind"], resumed["status"], resumed["awaitsReview"]) == ("review", "executing", False)


def test_a_run_asks_for_a_look_when_it_is_started(http: FlaskClient, tools: Any) -> None:
    plan = {"steps": [{"id": "a", "tool": "say"}]}
    started = http.post("/api/agent/start", json={"plan": plan, "review": True}).json
    shown = http.get(f"/api/runs/{started['workflowId']}").json

    assert (shown["status"], shown["awaitsReview"]) == ("paused", True)
