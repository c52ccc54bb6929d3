"""The page fits a telephone: 390 px wide, every pane reachable, nothing to scroll sideways."""

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.visits import OpenPage, Stack, ask, finished_turn, start_run

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

TELEPHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def _overflow(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_no_pane_scrolls_sideways(open_page: OpenPage, color_scheme: str) -> None:
    page = open_page("/", color_scheme=color_scheme, **TELEPHONE)
    widths = [_overflow(page)]
    ask(page, "What is 17% of 2340, and what time is it in Tokyo?")
    finished_turn(page)
    for name in ("Chat", "Plan", "Recent"):
        page.click(f".pane-switch button:text-is('{name}')")
        widths.append(_overflow(page))

    assert max(widths) <= 0


def test_a_wide_plan_scrolls_inside_its_frame(open_page: OpenPage, stack: Stack) -> None:
    steps = [{"id": f"s{at}", "tool": "echo", "arguments": {"value": "long " * 60}} for at in range(1, 9)]
    steps.append({"id": "last", "tool": "noop", "arguments": {}, "dependsOn": [f"s{at}" for at in range(1, 9)]})
    run = start_run(stack, {"plan": {"steps": steps}})
    page = open_page(f"/#/runs/{run}", **TELEPHONE)
    finished_turn(page)

    page.click(".pane-switch button:text-is('Plan')")
    page.click(".steps button >> nth=0")

    expect(page.locator(".step-details")).to_be_visible()
    assert _overflow(page) <= 0


def test_a_step_named_in_the_chat_opens_in_the_plan(open_page: OpenPage) -> None:
    page = open_page("/", **TELEPHONE)
    ask(page, "What is 17% of 2340?")
    finished_turn(page)

    page.click(".chips button")

    expect(page.locator(".step-details")).to_be_visible()
