"""Budgets: reserved before a call and settled after it, however many race; and what happens when one is used up."""

from typing import Any

import httpx2
import pytest

from gateway.client import Client
from tests.acceptance.whole_way import ask
from tests.scripted_model import Recorded, Reply, ScriptedModel, plan, text
from tests.stack import Stack

WORDS = 100


def thinks(count: int) -> dict[str, Any]:
    steps = [{"id": f"s{n}", "tool": "think", "arguments": {"question": f"Think of {n}"}} for n in range(count)]
    return {"steps": [{**step, "required": False} for step in steps]}


def usage(stack: Stack, run_id: str, by: str = "run") -> list[dict[str, Any]]:
    found = httpx2.get(f"{stack.url}/api/usage", params={"by": by, "runId": run_id}).json()
    return list(found["items"])


def test_fifty_parallel_calls_never_spend_more_than_the_budget(
    stack_with_model: Stack, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: Recorded) -> Reply:
        return text(" ".join(["thought"] * WORDS), delay=0.05)

    monkeypatch.setattr(model, "_answer", answer)
    told = ask(stack_with_model, plan=thinks(50), budget={"tokens": 4_000})
    spent = told.run["budget"]["spent"]["tokens"]
    (counted,) = usage(stack_with_model, told.run["id"])
    refused = [step for step in told.run["steps"] if step["status"] == "failed"]

    assert 0 < len(refused) < 50
    assert {step["error"]["kind"] for step in refused} == {"budget_exceeded"}
    assert "The run's budget of 4000 tokens is used up." in refused[0]["error"]["detail"]
    assert 4_000 - WORDS * 10 < spent <= 4_000
    assert counted["inputTokens"] + counted["outputTokens"] == spent
    assert counted["calls"] == 50 - len(refused)
    assert told.run["budget"]["reserved"] == {}
    assert {request.body["max_tokens"] <= 2_048 for request in model.chats[-counted["calls"] :]} == {True}


def test_fifty_parallel_children_never_spend_more_than_their_parents_budget(
    stack_with_model: Stack, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: Recorded) -> Reply:
        return text(" ".join(["thought"] * WORDS), delay=0.05)

    monkeypatch.setattr(model, "_answer", answer)
    children = [{"plan": thinks(1)} for _ in range(50)]
    team = {"id": "t", "tool": "delegate", "arguments": {"agents": children, "supervision": "ignore"}}
    told = ask(stack_with_model, plan={"steps": [team]}, budget={"tokens": 4_000})
    budget = told.run["budget"]
    ended = [event["data"]["status"] for event in told.events if event["name"] == "child.ended"]

    assert len(ended) == 50
    assert 4_000 - WORDS * 10 < budget["spent"]["tokens"] <= 4_000
    assert budget["reserved"] == {}
    assert 0 < ended.count("succeeded") < 50


def test_calls_of_tools_are_counted_and_the_next_one_is_refused(stack_with_model: Stack) -> None:
    steps = [{"id": f"s{n}", "tool": "echo", "arguments": {"value": n}, "required": False} for n in range(5)]
    told = ask(stack_with_model, plan={"steps": steps}, budget={"toolCalls": 3})
    statuses = [step["status"] for step in told.run["steps"]]

    assert sorted(statuses) == ["failed"] * 2 + ["succeeded"] * 3
    assert told.run["budget"]["spent"] == {"steps": 3, "toolCalls": 3}


def test_a_cheaper_model_takes_over_where_the_budget_says_so(stack_with_model: Stack, model: ScriptedModel) -> None:
    model.says(text("Cheaply thought."))
    told = ask(stack_with_model, plan=thinks(1), budget={"money": 0.0001, "onExceed": "degrade"})
    (called,) = [event["data"] for event in told.events if event["name"] == "model.called"]

    assert told.run["steps"][0]["output"]["text"] == "Cheaply thought."
    assert (called["model"], called["degraded"], called["for"]) == ("gpt-5-nano", True, "s0")
    assert usage(stack_with_model, told.run["id"], "model")[0]["cost"] == called["cost"] > 0


def test_a_run_asks_for_a_bigger_budget_and_goes_on_when_it_has_it(
    stack_with_model: Stack, model: ScriptedModel
) -> None:
    model.says(text("Worth it."))
    with Client(stack_with_model.url) as client:
        run_id = client.start(plan=thinks(1), budget={"tokens": 10, "onExceed": "ask"})["workflowId"]
        names = []
        for event in client.events(run_id):
            names.append(event["name"])
            if event["name"] == "run.paused":
                why = httpx2.get(f"{stack_with_model.url}/api/runs/{run_id}/why").json()
                raised = httpx2.put(f"{stack_with_model.url}/api/runs/{run_id}/budget", json={"tokens": 5_000})
        run = client.get(run_id)

    assert "budget.exceeded" in names
    assert "10 tokens is used up" in str(why)
    assert raised.status_code == 200
    assert (run["status"], run["steps"][0]["output"]) == ("succeeded", {"text": "Worth it."})


def test_what_there_is_makes_the_answer_when_the_budget_ends_before_it(
    stack_with_model: Stack, model: ScriptedModel
) -> None:
    step = {"id": "s1", "tool": "calculate", "arguments": {"expression": "6*7"}}
    model.says(plan({"steps": [step]}))
    told = ask(stack_with_model, "Six times seven", budget={"tokens": 1_500})

    assert told.run["status"] in ("succeeded", "failed")
    assert told.run["status"] == "failed" or "42" in told.answer
    assert "used up" in str(told.run["error"]) + told.answer


def test_a_run_that_takes_too_long_is_cut_and_keeps_what_it_has(stack_with_model: Stack) -> None:
    steps = [
        {"id": "quick", "tool": "echo", "arguments": {"value": "kept"}},
        {"id": "slow", "tool": "sleep", "arguments": {"seconds": 60}},
        {"id": "after", "tool": "echo", "arguments": {"value": 1}, "dependsOn": ["slow"]},
    ]
    told = ask(stack_with_model, plan={"steps": steps}, budget={"seconds": 1.0})

    assert told.run["status"] == "failed"
    assert told.run["error"]["reason"] == "deadline"
    assert [step["status"] for step in told.run["steps"]] == ["succeeded", "cancelled", "cancelled"]
    assert "run.deadline_passed" in [event["name"] for event in told.events]


@pytest.mark.parametrize(
    ("budget", "pointer"),
    [({}, "#/budget"), ({"tokens": -1}, "#/budget/tokens"), ({"tokens": 5, "onExceed": "cry"}, "#/budget/onExceed")],
)
def test_a_budget_that_makes_no_sense_is_refused_by_its_field(
    stack_with_model: Stack, budget: dict[str, Any], pointer: str
) -> None:
    reply = httpx2.post(f"{stack_with_model.url}/api/agent/start", json={"request": "x", "budget": budget})

    assert reply.status_code == 400
    assert reply.json()["errors"][0]["pointer"] == pointer


def test_a_plan_with_more_steps_than_the_budget_is_refused(stack_with_model: Stack) -> None:
    body = {"plan": thinks(3), "budget": {"steps": 2}}
    reply = httpx2.post(f"{stack_with_model.url}/api/agent/start", json=body)

    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "#/plan/steps")
