"""A person operates on a live run from the page: retry, skip, set a result, settle a doubt, pause and resume."""

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.consoles import plans
from tests.acceptance.consoles.plans import step
from tests.acceptance.visits import OpenPage, Stack, read

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

WAIT = step("wait", "sleep", seconds=600)


def press(page: Page, name: str) -> None:
    """Press a button of the drawer."""
    page.click(f".drawer .actions button:has-text('{name}')")


def test_a_failed_step_is_retried_and_what_follows_it_comes_back(open_page: OpenPage, stack: Stack) -> None:
    broken = plans.optional(step("flaky", "fails_at_first", times=3))
    run = plans.started(stack, broken, step("then", "echo", "flaky", value="${flaky.attempt}"), WAIT)
    plans.until_step(stack, run, "flaky", "failed")
    page = open_page(f"/#/runs/{run}?step=flaky")

    expect(page.locator(".drawer .attempts li")).to_have_count(3)
    press(page, "Retry")
    expect(page.locator(".drawer-title .tone-succeeded")).to_be_visible()
    page.keyboard.press("Escape")
    page.click("#step-wait")
    press(page, "Skip")
    press(page, "Skip it")
    page.wait_for_selector(".plan-head .tone-succeeded")

    ended = plans.until_ended(stack, run)
    assert [(each["id"], each["status"], each["output"]) for each in ended["steps"]][:2] == [
        ("flaky", "succeeded", {"attempt": 4}),
        ("then", "succeeded", {"text": "4", "value": 4}),
    ]
    assert plans.statuses(stack, run)["wait"] == "skipped"


def test_a_doubt_is_settled_with_the_result_that_a_person_found(open_page: OpenPage, stack: Stack) -> None:
    run = plans.started(
        stack, step("pay", "breaks_after_its_effect"), step("tell", "echo", "pay", value="${pay.receipt}")
    )
    plans.until_step(stack, run, "pay", "in_doubt")
    page = open_page("/#/inbox")

    page.click(f".rows a[href*='{run}']")
    expect(page.locator(".doubt")).to_contain_text("Did it happen?")
    press(page, "It happened")
    page.fill("#doubt-result", '{"receipt": 17')
    press(page, "Done with this result")
    expect(page.locator(".fault")).to_contain_text("not JSON")
    page.fill("#doubt-result", '{"receipt": 17}')
    press(page, "Done with this result")
    page.wait_for_selector(".plan-head .tone-succeeded")

    assert [each["output"] for each in plans.until_ended(stack, run)["steps"]] == [
        {"receipt": 17},
        {"text": "17", "value": 17},
    ]


def test_a_doubt_that_came_to_nothing_is_run_again(open_page: OpenPage, stack: Stack) -> None:
    run = plans.started(stack, step("pay", "breaks_after_its_effect"))
    plans.until_step(stack, run, "pay", "in_doubt")
    page = open_page(f"/#/runs/{run}?step=pay")

    press(page, "run again")

    plans.until(lambda: len(read(stack, f"/api/runs/{run}/attempts")["items"]) == 2)
    expect(page.locator(".drawer .attempts li")).to_have_count(2)


def test_a_result_is_set_and_arguments_are_changed_before_they_are_used(open_page: OpenPage, stack: Stack) -> None:
    steps = [step("a", "noop", "wait"), step("b", "echo", "wait", value="old"), step("c", "echo", "a", value="${a}")]
    run = plans.started(stack, WAIT, *steps)
    plans.until_step(stack, run, "wait", "waiting")
    page = open_page(f"/#/runs/{run}?step=a")

    press(page, "Set result")
    page.fill("#new-result", '"by hand"')
    press(page, "Take this result")
    expect(page.locator(".drawer-title .tone-succeeded")).to_be_visible()
    page.keyboard.press("j")
    press(page, "Edit and rerun")
    page.fill("#new-arguments", '{"value": "new"}')
    press(page, "Run with these")
    expect(page.locator(".drawer .value").first).to_contain_text("new")

    ran = {each["id"]: each["output"] for each in read(stack, f"/api/runs/{run}")["steps"]}
    assert ran["a"] == "by hand"
    plans.until(lambda: read(stack, f"/api/runs/{run}")["steps"][2]["arguments"] == {"value": "new"})


def test_what_the_server_refuses_is_told_where_it_was_asked(open_page: OpenPage, stack: Stack) -> None:
    run = plans.started(stack, WAIT, step("b", "echo", "wait", value="old"))
    plans.until_step(stack, run, "wait", "waiting")
    page = open_page(f"/#/runs/{run}?step=b")

    press(page, "Edit and rerun")
    page.fill("#new-arguments", '{"value": 1, "volume": 11}')
    press(page, "Run with these")

    expect(page.locator(".drawer [role=alert]")).to_contain_text("volume")
    assert page.input_value("#new-arguments") == '{"value": 1, "volume": 11}'


def test_a_run_is_paused_explained_and_resumed(open_page: OpenPage, stack: Stack) -> None:
    page = open_page()
    run = plans.started(stack, step("a", "slow_effect", seconds=4), step("b", "echo", "a", value="done"))
    page.evaluate("run => (location.hash = `#/runs/${run}`)", run)

    page.click(".run-actions button:text-is('Pause')")
    page.wait_for_selector(".plan-head .tone-paused")
    expect(page.locator(".why")).to_contain_text("paused")
    plans.until_step(stack, run, "a", "succeeded")
    assert plans.statuses(stack, run)["b"] == "pending"
    expect(page.locator("#step-b .step-status")).to_have_text("pending")
    page.click(".run-actions button:text-is('Resume')")

    page.wait_for_selector(".plan-head .tone-succeeded")
    assert plans.until_ended(stack, run)["status"] == "succeeded"


def test_why_names_what_a_live_run_waits_on(open_page: OpenPage, stack: Stack) -> None:
    run = plans.started(stack, WAIT)
    plans.until_step(stack, run, "wait", "waiting")
    page = open_page(f"/#/runs/{run}")

    expect(page.locator(".why")).to_contain_text("Step wait (sleep) sleeps until")
    page.click(".why button")

    expect(page.locator(".drawer h2")).to_contain_text("sleep")


def test_a_fork_shares_what_came_before_and_runs_the_changed_step(open_page: OpenPage, stack: Stack) -> None:
    steps = [
        step("a", "echo", value=20),
        step("b", "calculate", "a", expression="${a.value} * 2"),
        step("c", "echo", "b", value="${b.value}"),
    ]
    run = plans.started(stack, *steps)
    plans.until_ended(stack, run)
    page = open_page(f"/#/runs/{run}?step=b")

    press(page, "With other arguments")
    page.fill("#fork-arguments", '{"expression": "${a.value} + 1"}')
    press(page, "Start a fork with this")
    page.wait_for_url(lambda url: run not in url)
    page.wait_for_selector(".plan-head .tone-succeeded")

    fork = plans.until_ended(stack, page.url.rpartition("/")[2])
    assert fork["forkedFrom"] == run
    assert [each["reusedFrom"] for each in fork["steps"]] == [run, None, None]
    assert fork["steps"][2]["output"]["value"] == 21


def test_changes_to_several_steps_are_collected_for_one_fork(open_page: OpenPage, stack: Stack) -> None:
    run = plans.started(
        stack,
        step("a", "echo", value=1),
        step("b", "echo", value=2),
        step("c", "echo", "a", "b", value="${a} ${b.value}"),
    )
    plans.until_ended(stack, run)
    page = open_page(f"/#/runs/{run}?step=a")

    press(page, "With another result")
    page.fill("#fork-result", "10")
    press(page, "Keep, change more")
    page.keyboard.press("j")
    press(page, "With other arguments")
    page.fill("#fork-arguments", '{"value": 20}')
    press(page, "Keep, change more")
    expect(page.locator(".draft li")).to_have_count(2)
    page.click(".draft button:has-text('Start the fork')")
    page.wait_for_url(lambda url: run not in url)

    assert plans.until_ended(stack, page.url.rpartition("/")[2])["steps"][2]["output"]["value"] == "10 20"
