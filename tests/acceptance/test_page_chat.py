"""A person asks on the page and gets an answer, sees the plan it came from, goes on asking, and can stop a run."""

import pytest
from playwright.sync_api import expect

from tests.acceptance.visits import OpenPage, Stack, ask, finished_turn, line_of_sleeps, read, start_run

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

TWO_ASKS = "What is 17% of 2340, and what time is it in Tokyo?"


def test_a_request_is_answered_and_its_plan_is_drawn(open_page: OpenPage) -> None:
    page = open_page()

    ask(page, TWO_ASKS)
    answer = finished_turn(page)

    assert "397.8" in answer
    assert page.locator(".graph .node-succeeded").count() == 2
    assert page.locator(".steps .tone-succeeded").count() == 2
    expect(page.locator(".plan-head")).to_contain_text("offline brain")  # told by the journal, after the last event
    assert "OPENAI_API_KEY" in page.inner_text("article.turn footer")


def test_a_step_shows_its_times_input_and_output(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "What is 17% of 2340?")
    finished_turn(page)

    page.click(".steps button")

    details = page.inner_text(".step-details")
    assert "Started" in details
    assert "17" in page.inner_text("[aria-label^='Input of']")
    assert "397.8" in page.inner_text("[aria-label^='Output of']")
    assert "ran" in page.inner_text(".step-time")


def test_sending_twice_in_one_breath_starts_one_run(open_page: OpenPage, stack: Stack) -> None:
    page = open_page()
    page.fill("#request", TWO_ASKS)

    page.dblclick("button[aria-label=Send]")
    finished_turn(page)

    conversation = read(stack, f"/api/runs/{page.url.rpartition('/')[2]}")["conversationId"]
    runs = [run for run in read(stack, "/api/runs?limit=50")["items"] if run["conversationId"] == conversation]
    assert len(runs) == 1


def test_a_second_request_continues_the_conversation(open_page: OpenPage, stack: Stack) -> None:
    page = open_page()
    ask(page, "What is 17% of 2340?")
    finished_turn(page)
    first = page.url.rpartition("/")[2]

    ask(page, "What is 5 times 5?")
    finished_turn(page, turn=2)

    second = page.url.rpartition("/")[2]
    assert first != second
    conversations = {read(stack, f"/api/runs/{run}")["conversationId"] for run in (first, second)}
    assert len(conversations) == 1


def test_new_starts_another_conversation(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "What is 17% of 2340?")
    finished_turn(page)

    page.click("button[aria-label='New conversation']")

    expect(page.locator("article.turn")).to_have_count(0)
    expect(page.locator("#request")).to_be_focused()


def test_a_live_run_can_be_cancelled(open_page: OpenPage, stack: Stack) -> None:
    run = start_run(stack, line_of_sleeps(20, 2))
    page = open_page(f"/#/runs/{run}")

    page.wait_for_selector(".steps .tone-running")
    page.click(".composer button.danger")
    finished_turn(page, status="cancelled")

    assert read(stack, f"/api/runs/{run}")["status"] == "cancelled"
    assert page.locator("button.danger").count() == 0


def test_an_unknown_run_is_said_to_be_unknown(open_page: OpenPage) -> None:
    page = open_page("/#/runs/01890000-0000-7000-8000-000000000000")

    expect(page.locator("article.turn .problem")).to_contain_text("no run")


def test_memory_can_be_searched(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "Remember that our launch is on a Tuesday.")
    finished_turn(page)

    page.click(".rail a:has-text('Memory')")
    page.fill("input[name=text]", "launch")

    expect(page.locator(".memory").first).to_contain_text("Tuesday")


def test_the_tools_are_listed(open_page: OpenPage) -> None:
    page = open_page()

    page.click(".rail a:has-text('Tools')")

    expect(page.locator(".place-tools .rows")).to_contain_text("calculate")
