"""Everything on the page can be done with the keyboard alone, and one sees where the focus is."""

import pytest
from playwright.sync_api import expect

from tests.acceptance.visits import OpenPage, ask, finished_turn

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

FOCUS_MARK = """
() => {
  const focused = document.activeElement;
  const marked = [focused, focused.closest(".composer-box"), focused.querySelector("rect")].filter(Boolean);
  const visible = (element) => {
    const style = getComputedStyle(element);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return outlined || (element.matches("rect") && parseFloat(style.strokeWidth) >= 3);
  };
  return [focused.id || focused.className.baseVal || focused.className || focused.tagName, marked.some(visible)];
}
"""


def test_from_request_to_step_details_without_a_mouse(open_page: OpenPage) -> None:
    page = open_page()

    page.keyboard.press("/")
    page.keyboard.type("What is 17% of 2340, and what time is it in Tokyo?")
    page.keyboard.press("Enter")
    finished_turn(page)
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    page.keyboard.press("j")
    page.keyboard.press("Enter")

    expect(page.locator(".step.is-open")).to_have_count(1)
    expect(page.locator(".steps > li").nth(1)).to_have_class("step is-open")
    expect(page.locator(".drawer")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".drawer")).to_have_count(0)
    expect(page.locator(".step-row").nth(1)).to_be_focused()


def test_the_graph_is_walked_with_arrows(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "What is 17% of 2340, and what time is it in Tokyo?")
    finished_turn(page)

    page.locator(".graph .node").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")

    expect(page.locator(".steps > li").nth(1)).to_have_class("step is-open")
    expect(page.locator(".drawer .step-details")).to_be_visible()


def test_the_legend_opens_and_closes(open_page: OpenPage) -> None:
    page = open_page()

    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_contain_text("new conversation")
    page.keyboard.press("Escape")

    expect(page.locator("dialog[open]")).to_have_count(0)


def test_letters_typed_into_the_request_stay_letters(open_page: OpenPage) -> None:
    page = open_page()

    page.keyboard.press("/")
    page.keyboard.type("n/j?")

    assert page.input_value("#request") == "n/j?"


def test_every_stop_of_the_tab_key_is_visible(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "What is 17% of 2340, and what time is it in Tokyo?")
    finished_turn(page)
    page.click(".steps button")
    page.focus("button[aria-label='New conversation']")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")

    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        stops.append(page.evaluate(FOCUS_MARK))

    assert len(stops) >= 10
    assert [name for name, visible in stops if not visible] == []
