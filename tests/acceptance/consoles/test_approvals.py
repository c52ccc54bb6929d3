"""The inbox has what steps ask of people: approve, with other arguments if need be, reject with a reason, answer."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.acceptance.consoles import plans
from tests.acceptance.consoles.plans import step
from tests.acceptance.visits import OpenPage, Stack, read

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser


def asked(stack: Stack, *steps: dict[str, Any]) -> str:
    """A run whose first step waits for a person."""
    run = plans.started(stack, *steps)
    plans.until(lambda: read(stack, f"/api/approvals?workflowId={run}")["items"])
    return run


def card(page: Page, run: str) -> Locator:
    return page.locator(".approval", has=page.locator(f"a[href*='{run}']"))


def test_a_call_is_approved_with_other_arguments(open_page: OpenPage, stack: Stack) -> None:
    run = asked(stack, step("pay", "gated_effect", number=7))
    page = open_page("/#/inbox")
    mine = card(page, run)

    expect(mine.locator("pre")).to_contain_text("7")
    mine.locator("button:text-is('Edit and approve')").click()
    mine.locator("textarea").fill('{"number": "eight"}')
    mine.locator("button:text-is('Approve these')").click()
    expect(mine.locator(".problem")).to_contain_text("number")
    mine.locator("textarea").fill('{"number": 8}')
    mine.locator("button:text-is('Approve these')").click()
    expect(mine).to_have_count(0)
    ended = plans.until_ended(stack, run)

    assert ended["status"] == "succeeded"
    assert ended["steps"][0]["output"] == {"number": 8}


def test_a_call_is_rejected_with_a_reason_by_keyboard_alone(open_page: OpenPage, stack: Stack) -> None:
    run = asked(stack, step("pay", "gated_effect", number=7))
    page = open_page("/#/inbox")
    mine = card(page, run)

    mine.locator("button:text-is('Reject')").focus()
    page.keyboard.press("Enter")
    expect(mine.locator("input")).to_be_focused()
    page.keyboard.type("Not this month")
    page.keyboard.press("Enter")
    expect(mine).to_have_count(0)
    ended = plans.until_ended(stack, run)

    assert ended["status"] == "failed"
    assert "Not this month" in ended["steps"][0]["error"]["detail"]


def test_a_question_is_answered_by_a_choice_and_the_rail_counts_it(open_page: OpenPage, stack: Stack) -> None:
    question = {"question": "Which crate goes first?", "choices": ["the red one", "the blue one"]}
    run = asked(stack, step("ask", "ask_person", **question), step("then", "echo", "ask", value="${ask.answer}"))
    page = open_page("/#/inbox")
    mine = card(page, run)

    expect(mine).to_contain_text("Which crate goes first?")
    expect(page.locator(".rail .badge")).to_be_visible()
    mine.locator("button:text-is('the blue one')").click()
    expect(mine).to_have_count(0)

    assert plans.until_ended(stack, run)["steps"][1]["output"]["value"] == "the blue one"


def test_what_has_the_focus_is_approved_and_denied_with_one_key(open_page: OpenPage, stack: Stack) -> None:
    good, bad = (asked(stack, step("pay", "gated_effect", number=number)) for number in (1, 2))
    page = open_page("/#/inbox")

    expect(card(page, good)).to_have_count(1)
    page.keyboard.press("a")  # nothing has the focus: nothing is approved
    card(page, good).locator("a").focus()
    page.keyboard.press("a")
    expect(card(page, good)).to_have_count(0)
    card(page, bad).locator("a").focus()
    page.keyboard.press("d")
    page.keyboard.type("No")
    page.keyboard.press("Enter")
    expect(card(page, bad)).to_have_count(0)

    assert plans.until_ended(stack, good)["status"] == "succeeded"
    assert plans.until_ended(stack, bad)["status"] == "failed"
