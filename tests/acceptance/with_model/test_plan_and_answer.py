"""With a model set, the plan and the answer come from it; a plan that can't be used is repaired once, then refused."""

import json

from tests.acceptance.whole_way import ask
from tests.scripted_model import Reply, ScriptedModel, plan, rate_limited, text
from tests.stack import Stack

GOOD = {"steps": [{"id": "s1", "tool": "calculate", "arguments": {"expression": "6*7"}}]}


def test_plan_and_answer_come_from_the_model(stack_with_model: Stack, model: ScriptedModel) -> None:
    model.says(plan(GOOD), text("Six times seven makes forty-two."))

    told = ask(stack_with_model, "What do you get if you multiply six by nine?")

    assert told.answer == "Six times seven makes forty-two."
    assert told.run["status"] == "succeeded"
    assert told.tools == ["calculate"]
    assert told.run["brain"] != "offline"
    assert sum(event["name"] == "answer.delta" for event in told.events) >= 1


def test_a_plan_that_breaks_the_rules_is_repaired_once(stack_with_model: Stack, model: ScriptedModel) -> None:
    model.says(plan({"steps": [{"id": "s1", "tool": "teleport"}]}), plan(GOOD), text("42"))

    assert ask(stack_with_model, "Six by seven?").answer == "42"


def test_a_plan_that_breaks_the_rules_twice_is_refused_with_the_reason(
    stack_with_model: Stack, model: ScriptedModel
) -> None:
    model.says(text("no JSON here"), plan({"steps": [{"id": "s1", "tool": "teleport"}]}))

    told = ask(stack_with_model, "Beam me up")

    assert told.run["status"] == "failed"
    assert "teleport" in json.dumps(told.run["error"])


def test_a_busy_or_broken_model_is_asked_again(stack_with_model: Stack, model: ScriptedModel) -> None:
    model.says(rate_limited(0.2), Reply(status=500, text="oops"), plan(GOOD), text("Still 42."))

    assert ask(stack_with_model, "Six by seven?").answer == "Still 42."
