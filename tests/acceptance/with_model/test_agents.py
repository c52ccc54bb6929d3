"""Agents: a run that names one plans and answers by its instructions, with its model, tools and budget."""

from typing import Any

import httpx2

from tests.acceptance.whole_way import ask
from tests.scripted_model import ScriptedModel, plan, text
from tests.stack import Stack


def put(stack: Stack, name: str, **profile: Any) -> httpx2.Response:
    return httpx2.put(f"{stack.url}/api/agents/{name}", json=profile)


def test_a_run_is_planned_and_answered_as_its_agent_says(stack_with_model: Stack, model: ScriptedModel) -> None:
    put(
        stack_with_model,
        "accountant",
        instructions="Speak like an accountant.",
        model="gpt-4.1-nano",
        tools=["calc*"],
        budget={"tokens": 50_000},
    )
    step = {"id": "s1", "tool": "calculate", "arguments": {"expression": "6*7"}}
    model.says(plan({"steps": [step]}), text("The balance is 42."))
    told = ask(stack_with_model, "Six times seven", agent="accountant")
    planning, answering = model.chats[-2:]

    assert told.answer == "The balance is 42."
    assert "Speak like an accountant." in planning.said and "Speak like an accountant." in answering.said
    assert {planning.body["model"], answering.body["model"]} == {"gpt-4.1-nano"}
    assert "- calculate (" in planning.said and "- fetch_page (" not in planning.said
    assert told.run["budget"]["spent"]["tokens"] > 0


def test_a_plan_with_a_tool_that_the_agent_may_not_use_is_refused(stack_with_model: Stack) -> None:
    put(stack_with_model, "careful", tools=["echo"])
    body = {"agent": "careful", "plan": {"steps": [{"id": "s1", "tool": "noop", "arguments": {}}]}}
    reply = httpx2.post(f"{stack_with_model.url}/api/agent/start", json=body)

    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "#/plan/steps/0/tool")


def test_agents_are_made_read_replaced_and_dropped(stack_with_model: Stack) -> None:
    url = f"{stack_with_model.url}/api/agents"
    made = put(stack_with_model, "brief", instructions="Be brief.", memory="none").json()
    replaced = put(stack_with_model, "brief", description="Says little.").json()
    names = [agent["name"] for agent in httpx2.get(url).json()["items"]]
    dropped = httpx2.delete(f"{url}/brief")

    assert (made["instructions"], made["memory"], made["tools"]) == ("Be brief.", "none", None)
    assert (replaced["instructions"], replaced["memory"]) == (None, "user")
    assert "brief" in names
    assert (dropped.status_code, httpx2.get(f"{url}/brief").status_code) == (200, 404)


def test_an_agent_that_makes_no_sense_is_refused_by_its_field(stack_with_model: Stack) -> None:
    reply = put(stack_with_model, "odd", memory="everything")

    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (400, "#/memory")
