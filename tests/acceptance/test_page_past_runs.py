"""Past runs are listed, open with a click, and have an address of their own."""

import pytest
from playwright.sync_api import expect

from tests.acceptance.visits import OpenPage, Stack, ask, finished_turn, start_run

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

RUNS = ".past-switch button:text-is('Runs')"


def test_a_past_run_opens_from_the_list(open_page: OpenPage, stack: Stack) -> None:
    request = "What is 1234 plus 4321?"
    run = start_run(stack, {"request": request})
    page = open_page()

    page.click(RUNS)
    page.click(f".past-runs a[href$='{run}']")

    assert "5555" in finished_turn(page).replace(",", "")
    expect(page.locator(".asked")).to_have_text(request)
    expect(page.locator(f".past-runs a[href$='{run}']")).to_have_attribute("aria-current", "page")
    assert page.url.endswith(f"#/runs/{run}")


def test_a_new_run_appears_in_the_list_by_itself(open_page: OpenPage) -> None:
    page = open_page()
    page.click(RUNS)

    ask(page, "What is 88 times 11?")
    finished_turn(page)

    expect(page.locator(".past-runs a").first).to_contain_text("What is 88 times 11?")


def test_back_returns_to_the_run_before(open_page: OpenPage, stack: Stack) -> None:
    one, other = (start_run(stack, {"request": f"What is {number} times 3?"}) for number in (31, 32))
    page = open_page(f"/#/runs/{one}")
    finished_turn(page)
    page.click(RUNS)
    page.click(f".past-runs a[href$='{other}']")
    expect(page.locator(".asked")).to_have_text("What is 32 times 3?")

    page.go_back()

    expect(page.locator(".asked")).to_have_text("What is 31 times 3?")


def test_a_link_to_one_turn_shows_the_whole_conversation(open_page: OpenPage) -> None:
    page = open_page()
    for turn, request in enumerate(("What is 3 times 4?", "What is 5 times 6?"), start=1):
        ask(page, request)
        finished_turn(page, turn=turn)

    again = open_page(page.url.partition("#")[2].join(["/#", ""]))

    expect(again.locator(".asked")).to_have_text(["What is 3 times 4?", "What is 5 times 6?"])
