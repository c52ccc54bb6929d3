"""The page beside a model: a held plan is forecast in money, each step's cost is told, a request steers a live run."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.visits import OpenPage, ask, finished_turn, read
from tests.scripted_model import ScriptedModel, plan, text
from tests.stack import Stack

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser


@pytest.fixture
def stack(stack_with_model: Stack) -> Stack:
    """The stack that `open_page` opens."""
    return stack_with_model


def thinking(*ids: str) -> dict[str, Any]:
    """A plan of steps that each ask the model."""
    return {"steps": [{"id": each, "tool": "think", "arguments": {"question": f"What of {each}?"}} for each in ids]}


def test_a_plan_is_forecast_in_money_once_its_tools_have_run(
    open_page: OpenPage, stack: Stack, model: ScriptedModel
) -> None:
    page = open_page()
    model.says(plan(thinking("s1")), text("A thought."), text("One."))
    ask(page, "Think of one thing")
    finished_turn(page)
    page.click(".switch button:text-is('Timeline')")
    expect(page.locator(".lane", has_text="think").locator(".lane-time")).to_contain_text("$")
    page.click(".lane button")
    expect(page.locator(".drawer .facts-list")).to_contain_text("1 call of the model")
    page.click(".drawer .log summary")
    expect(page.locator(".drawer .log")).to_contain_text("step.succeeded")
    page.keyboard.press("Escape")
    page.click("button[aria-label='New conversation']")
    model.says(plan(thinking("s1", "s2")), text("A thought."), text("A thought."), text("Two."))
    page.click(".plan-first")
    ask(page, "Think of two things")
    expect(page.locator(".review .forecast")).to_contain_text("$")
    page.click(".review button:text-is('Run it')")

    assert "Two." in finished_turn(page)
    page.goto(f"{stack.url}/#/usage")
    expect(page.locator(".chart")).to_contain_text("Cost a day")
    expect(page.locator(".shares").last).to_contain_text("gpt-5-mini")


def test_what_is_written_while_a_run_lives_may_steer_it(
    open_page: OpenPage, stack: Stack, model: ScriptedModel
) -> None:
    page = open_page()
    slow = {"steps": [{"id": "s1", "tool": "sleep", "arguments": {"seconds": 4}}]}
    more = {"steps": [{"id": "s2", "tool": "echo", "arguments": {"value": "and this"}}]}
    model.says(plan(slow), plan(more), text("Both are done."))
    ask(page, "Wait a little")
    expect(page.locator(".chips")).to_contain_text("sleep")
    page.get_by_label("A run is under way").select_option("steer")
    ask(page, "And say this too")
    expect(page.locator(".asked")).to_have_text(["Wait a little", "And say this too"])

    assert "Both are done." in finished_turn(page)
    run = read(stack, f"/api/runs/{page.url.rpartition('/')[2]}")
    assert [step["status"] for step in run["steps"]] == ["succeeded", "succeeded"]
