"""axe finds nothing to object to, in light and dark, wide and narrow, empty and in use."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.acceptance.visits import OpenPage, Stack, ask, finished_turn, start_run

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

SIZES = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 390, "height": 844}}


def _violations(page: Page) -> list[str]:
    page.wait_for_timeout(300)  # colours fade in
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize(("size", "color_scheme"), [("wide", "light"), ("narrow", "dark")])
def test_axe_is_content(open_page: OpenPage, stack: Stack, size: str, color_scheme: str) -> None:
    # axe is put into the page as a script, which the policy forbids: the policy has its own test
    page = open_page("/", viewport=SIZES[size], color_scheme=color_scheme, bypass_csp=True)
    found = _violations(page)
    ask(page, "What is 17% of 2340, and what time is it in Tokyo?")
    finished_turn(page)
    found += _violations(page)
    if size == "narrow":
        page.click(".pane-switch button:text-is('Plan')")
    page.click(".steps button")
    found += _violations(page)
    page.keyboard.press("Escape")
    page.click("button[aria-label='Keyboard shortcuts']")
    found += _violations(page)
    page.keyboard.press("Escape")
    failed = start_run(
        stack, {"plan": {"steps": [{"id": "s1", "tool": "calculate", "arguments": {"expression": "1/0"}}]}}
    )
    page.goto(f"{stack.url}/#/runs/{failed}")
    page.wait_for_selector("article.turn footer .status", state="attached")
    found += _violations(page)

    assert found == []


def test_a_screen_reader_is_told_how_the_run_goes(open_page: OpenPage) -> None:
    page = open_page()

    ask(page, "What is 17% of 2340?")
    finished_turn(page)

    assert page.inner_text("p[role=status]") == "Run succeeded."
    answer = page.locator("article.turn .answer")
    assert answer.get_attribute("aria-live") == "polite"
    assert answer.get_attribute("aria-busy") == "false"
