"""When steps fail, the model is asked for a better plan; what has ended stays, and nobody goes round in circles."""

from typing import Any

from tests.acceptance.whole_way import ask
from tests.scripted_model import ScriptedModel, plan, text
from tests.stack import Stack


def step(name: str, expression: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "tool": "calculate", "arguments": {"expression": expression}, **more}


def test_a_failed_step_is_a_fact_for_the_next_revision(stack_with_model: Stack, model: ScriptedModel) -> None:
    model.says(
        plan({"steps": [step("s1", "6*7"), step("s2", "1/0")], "note": "No tool can do the rest."}),
        plan({"steps": [step("s3", "${s1.value} + 1")]}),
        text("It is 43."),
    )
    told = ask(stack_with_model, "One more than six times seven, please")
    asked_again = model.chats[-2].said

    assert (told.run["status"], told.answer) == ("succeeded", "It is 43.")
    assert [(one["id"], one["status"], one["attempts"]) for one in told.run["steps"]] == [
        ("s1", "succeeded", 1),
        ("s2", "failed", 1),
        ("s3", "succeeded", 1),
    ]
    assert [event["data"]["revision"] for event in told.events if event["name"] == "plan.created"] == [1, 2]
    assert sum(event["name"] == "plan.revision_requested" for event in told.events) == 1
    assert '"error"' in asked_again and "1/0" in asked_again and '"value": 42' in asked_again
    assert "No tool can do the rest." in model.chats[-1].said


def test_the_same_call_is_not_made_again(stack_with_model: Stack, model: ScriptedModel) -> None:
    model.says(
        plan({"steps": [step("s1", "2+2"), step("s2", "1/0")]}),
        plan({"steps": [step("s3", "1/0")]}),
        plan({"steps": [], "note": "It can't be divided by nothing."}),
        text("It is four; the other can't be done."),
    )
    told = ask(stack_with_model, "Two and two, and one by nothing")

    assert told.run["status"] == "succeeded"
    assert [one["id"] for one in told.run["steps"]] == ["s1", "s2"]
    assert "calls calculate as step s2 did" in model.chats[-2].said
    assert "can't be divided by nothing" in model.chats[-1].said


def test_a_revision_that_can_not_be_used_leaves_an_answer_of_what_there_is(
    stack_with_model: Stack, model: ScriptedModel
) -> None:
    bad = plan({"steps": [step("s3", "1", dependsOn=["s2"])]})
    model.says(plan({"steps": [step("s1", "2+2"), step("s2", "1/0")]}), bad, bad, text("Four."))
    told = ask(stack_with_model, "Two and two, and one by nothing")

    assert (told.run["status"], told.answer) == ("succeeded", "Four.")


def test_a_planner_that_goes_in_circles_is_nudged_then_asked_anew_then_stopped(
    stack_with_model: Stack, model: ScriptedModel
) -> None:
    again = plan({"steps": [step("s3", " 1/0 ")]})
    model.says(plan({"steps": [step("s1", "2+2"), step("s2", "1/0")]}), again, again, again, text("Four."))
    told = ask(stack_with_model, "Two and two, and one by nothing")
    reined_in = [event["data"] for event in told.events if event["name"] == "run.reined_in"]

    assert (told.run["status"], told.answer) == ("succeeded", "Four.")
    assert [(one["sign"], one["action"]) for one in reined_in] == [
        ("repeated", "nudge"),
        ("repeated", "replan"),
        ("repeated", "finish"),
    ]
    assert "calls calculate as step s2 did, which failed" in reined_in[0]["because"]
    assert "round in circles" in model.chats[-2].said
    assert [one["id"] for one in told.run["steps"]] == ["s1", "s2"]


def test_a_planner_that_finds_another_way_when_nudged_goes_on(stack_with_model: Stack, model: ScriptedModel) -> None:
    model.says(
        plan({"steps": [step("s1", "2+2"), step("s2", "1/0")]}),
        plan({"steps": [step("s3", "2+2")]}),
        plan({"steps": [step("s3", "${s1.value}+1")]}),
        text("Five."),
    )
    told = ask(stack_with_model, "Two and two, and one by nothing")
    reined_in = [event["data"]["action"] for event in told.events if event["name"] == "run.reined_in"]

    assert (told.answer, reined_in) == ("Five.", ["nudge"])
    assert "use its output, ${s1}" in model.chats[-2].said


def test_revisions_that_bring_nothing_come_to_an_end(stack_with_model: Stack, model: ScriptedModel) -> None:
    model.says(
        plan({"steps": [step("s1", "2+2"), step("s2", "1/0")]}),
        plan({"steps": [step("s3", "2/0")]}),
        text("Four, and that is all."),
    )
    told = ask(stack_with_model, "Two and two, and something by nothing")
    given_up = [event["data"]["because"] for event in told.events if event["name"] == "plan.given_up"]

    assert told.answer == "Four, and that is all."
    assert given_up == ["The last revision of the plan brought nothing, so no further one is made."]
    assert [event["data"]["sign"] for event in told.events if event["name"] == "run.reined_in"] == ["no_progress"]


def test_revisions_are_bounded(stack_with_model: Stack, model: ScriptedModel) -> None:
    def mixed(number: int) -> dict[str, Any]:
        return {"steps": [step(f"a{number}", f"{number}+1"), step(f"b{number}", f"{number}/0")]}

    model.says(plan(mixed(1)), plan(mixed(2)), plan(mixed(3)), text("So far."))
    told = ask(stack_with_model, "Go on for ever")

    assert told.run["status"] == "succeeded"
    assert [event["data"]["revision"] for event in told.events if event["name"] == "plan.created"] == [1, 2, 3]
    assert sum(event["name"] == "plan.given_up" for event in told.events) == 1
