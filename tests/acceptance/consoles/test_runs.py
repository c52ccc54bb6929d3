"""All runs in a table: found by what the address asks, acted on together, compared in pairs, along the time."""

import pytest
from playwright.sync_api import expect

from tests.acceptance.consoles import plans
from tests.acceptance.consoles.plans import step
from tests.acceptance.visits import OpenPage, Stack, read

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

WAIT = step("wait", "sleep", seconds=600)
ROWS = ".runs-table tbody tr"


def test_runs_are_searched_and_the_address_keeps_the_search(open_page: OpenPage, stack: Stack) -> None:
    label = {"test": "search"}
    plans.started(stack, step("a", "echo", value=1), request="Count the red herons", labels=label)
    plans.started(stack, WAIT, request="Count the grey herons", labels=label)
    page = open_page("/#/runs")
    page.wait_for_selector("input[name=text]")

    page.keyboard.press("/")
    page.keyboard.type("HERONS")
    expect(page.locator(ROWS)).to_have_count(2)
    page.select_option(".filters select >> nth=0", "live")
    expect(page.locator(ROWS)).to_contain_text(["grey"])
    page.reload()
    expect(page.locator(ROWS)).to_contain_text(["grey"])
    assert page.input_value("input[name=text]") == "HERONS"
    page.click("button:text-is('Clear')")

    expect(page.locator(ROWS)).to_contain_text(["grey", "red"])
    assert page.url.endswith("#/runs")


def test_pages_join_without_gap_or_double(open_page: OpenPage, stack: Stack) -> None:
    started = [plans.started(stack, step("a", "noop"), labels={"test": "pages"}) for _ in range(55)]
    page = open_page("/#/runs?label=test:pages")

    expect(page.locator(ROWS)).to_have_count(50)
    page.click("button:text-is('Older runs')")
    expect(page.locator(ROWS)).to_have_count(55)

    links = page.locator(f"{ROWS} .run-cell a").evaluate_all("all => all.map((a) => a.hash.split('/').pop())")
    assert links == started[::-1]


def test_selected_runs_are_cancelled_together_and_others_left_alone(open_page: OpenPage, stack: Stack) -> None:
    runs = [plans.started(stack, WAIT, labels={"test": "bulk"}) for _ in range(3)]
    page = open_page("/#/runs?label=test:bulk")
    expect(page.locator(ROWS)).to_have_count(3)

    page.focus(f"{ROWS} >> nth=0 >> .run-cell a")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator(".bulk b")).to_have_text("2 runs selected")
    page.click(".bulk button:text-is('Cancel')")
    page.click("button:text-is('Cancel 2 runs')")
    expect(page.locator(".toast")).to_contain_text("2 runs cancelled")

    for run in runs[1:]:
        assert plans.until_ended(stack, run)["status"] == "cancelled"
    assert read(stack, f"/api/runs/{runs[0]}")["finishedAt"] is None


def test_two_runs_are_compared_line_by_line(open_page: OpenPage, stack: Stack) -> None:
    for value in ("tea", "coffee"):
        run = plans.started(stack, step("a", "noop"), step("b", "echo", value=value), labels={"test": "compare"})
        plans.until_ended(stack, run)
    page = open_page("/#/runs?label=test:compare")

    page.check("input[aria-label='Select all shown']")
    page.click(".bulk a:has-text('Compare')")

    expect(page.locator("section[aria-label='Step b'] .line-gone").first).to_contain_text("tea")
    expect(page.locator("section[aria-label='Step b'] .line-come").first).to_contain_text("coffee")
    expect(page.locator("main")).to_contain_text("The same in both: 1 step (a).")


def test_the_timeline_shows_every_attempt_and_opens_steps(open_page: OpenPage, stack: Stack) -> None:
    run = plans.started(stack, step("flaky", "fails_at_first", times=2), step("b", "slow_effect", "flaky", seconds=0.3))
    plans.until_ended(stack, run)
    page = open_page(f"/#/runs/{run}")

    page.click(".switch button:text-is('Timeline')")
    lane = page.locator(".lane:has(#step-flaky)")
    expect(lane.locator(".stretch-failed")).to_have_count(2)
    expect(lane.locator(".stretch-succeeded")).to_have_count(1)
    expect(lane).to_contain_text("×3")
    lane.locator("button").click()

    expect(page.locator(".drawer .attempts li")).to_have_count(3)
