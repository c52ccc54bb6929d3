"""A model's steps run while it still writes the plan; what it writes later never undoes what has begun."""

import json
import time
from typing import Any

from gateway.client import Client
from tests.acceptance.whole_way import Told, ask
from tests.scripted_model import Reply, ScriptedModel, plan, text
from tests.stack import Stack


def step(number: int, tool: str = "echo", **arguments: Any) -> dict[str, Any]:
    return {"id": f"s{number}", "tool": tool, "arguments": arguments or {"value": f"word {number}"}}


def written(steps: list[dict[str, Any]], delay: float, **more: Any) -> Reply:
    """A plan that the model writes a step at a time."""
    pieces = [json.dumps(one) for one in steps]
    return Reply(
        chunks=['{"steps": [', *(f"{piece}, " for piece in pieces[:-1]), f"{pieces[-1]}]", "}"], delay=delay, **more
    )


def place(told: Told, name: str, step_id: str | None = None) -> int:
    return next(event["seq"] for event in told.events if event["name"] == name and event["stepId"] == step_id)


def test_a_step_ends_before_the_plan_does(stack_with_model: Stack, model: ScriptedModel) -> None:
    last = step(6, value="${s3.value} ${s5.value}")
    steps = [step(1), step(2, value="${s1.value}"), step(3), step(4, value="${s2.value}"), step(5), last]
    model.says(written(steps, 0.2), text("Done."))
    told = ask(stack_with_model, "Say six words")

    assert told.run["status"] == "succeeded"
    assert [one["status"] for one in told.run["steps"]] == ["succeeded"] * 6
    assert told.run["steps"][5]["output"]["value"] == "word 3 word 5"
    assert place(told, "step.succeeded", "s1") < place(told, "plan.step_added", "s5") < place(told, "plan.created")


def test_what_may_not_be_repeated_waits_for_the_whole_plan(stack_with_model: Stack, model: ScriptedModel) -> None:
    unsafe = step(2, "http_request", method="POST", url=f"{stack_with_model.url}/healthz")
    model.says(written([step(1), unsafe, step(3)], 0.2), text("Done."))
    told = ask(stack_with_model, "Post something")

    assert place(told, "step.succeeded", "s1") < place(told, "plan.created") < place(told, "step.started", "s2")


def test_a_mended_plan_keeps_what_has_begun(stack_with_model: Stack, model: ScriptedModel) -> None:
    model.says(
        written([step(1), {"id": "s2", "tool": "teleport"}], 0.1), plan({"steps": [step(1), step(2)]}), text("Done.")
    )
    told = ask(stack_with_model, "Say two words")

    assert told.run["status"] == "succeeded"
    assert [(one["id"], one["output"]["value"], one["attempts"]) for one in told.run["steps"]] == [
        ("s1", "word 1", 1),
        ("s2", "word 2", 1),
    ]
    assert '"word 1"' in model.chats[-2].body["messages"][-1]["content"]


def test_a_plan_that_contradicts_what_has_begun_is_refused(stack_with_model: Stack, model: ScriptedModel) -> None:
    other = step(1, value="another word")
    model.says(written([step(1), {"id": "s2", "tool": "teleport"}], 0.1), plan({"steps": [other]}))
    told = ask(stack_with_model, "Say a word")

    assert told.run["status"] == "failed"
    assert "s1 has been started" in told.run["error"]["detail"]
    assert told.run["steps"][0]["output"]["value"] == "word 1"


def test_a_planner_killed_in_the_middle_leaves_what_it_took_to_the_next(
    stack_with_model: Stack, model: ScriptedModel
) -> None:
    steps = [step(1), step(2), step(3)]
    model.says(written(steps, 0.5), plan({"steps": steps}), text("Done."))
    with Client(stack_with_model.url) as client:
        run_id = client.start("Say three words")["workflowId"]
        while not any(one["status"] == "succeeded" for one in client.get(run_id)["steps"]):
            time.sleep(0.02)
        stack_with_model.kill("planning")
        stack_with_model.start("planning")
        events = list(client.events(run_id))
        run = client.get(run_id)

    assert run["status"] == "succeeded"
    assert [one["attempts"] for one in run["steps"]] == [1, 1, 1]
    assert [event["name"] for event in events].count("plan.step_added") == 3
    assert [event["name"] for event in events].count("plan.created") == 1
    assert "have been started" in model.chats[-2].said


def test_a_run_that_is_cancelled_while_it_is_planned_ends_at_once(
    stack_with_model: Stack, model: ScriptedModel
) -> None:
    model.says(written([step(number) for number in range(1, 9)], 0.5), text("Done."))
    with Client(stack_with_model.url) as client:
        run_id = client.start("Say eight words")["workflowId"]
        while not client.get(run_id)["steps"]:
            time.sleep(0.02)
        client.cancel(run_id)
        names = [event["name"] for event in client.events(run_id)]

    assert names[-1] == "run.cancelled"
    assert "plan.created" not in names


def test_nothing_of_a_plan_that_is_to_be_looked_at_runs_before(stack_with_model: Stack, model: ScriptedModel) -> None:
    model.says(written([step(1), step(2)], 0.1), text("Done."))
    with Client(stack_with_model.url) as client:
        run_id = client.start("Say two words", review=True)["workflowId"]
        names = []
        for event in client.events(run_id):
            names.append(event["name"])
            if event["name"] == "run.paused":
                client.resume(run_id)
        run = client.get(run_id)

    held = names.index("run.paused")
    assert names[held - 2 : held] == ["plan.created", "plan.review_requested"]
    assert "step.started" not in names[:held] and names[held + 1] == "run.resumed"
    assert run["status"] == "succeeded"
