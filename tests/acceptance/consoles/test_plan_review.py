"""Plan first: the plan is looked at, changed and run; faults are told at their field; nothing of it runs before."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.consoles import plans
from tests.acceptance.consoles.plans import step
from tests.acceptance.visits import OpenPage, Stack, ask, finished_turn, read, start_run

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser


def held(stack: Stack, *steps: dict[str, Any], **fields: Any) -> str:
    """A run whose plan waits for a look."""
    run = start_run(stack, {"plan": {"steps": list(steps)}, "review": True, **fields})
    plans.until(lambda: read(stack, f"/api/runs/{run}")["awaitsReview"])
    return run


def open_card(page: Page, step_id: str) -> None:
    page.click(f"#edit-{step_id}")
    expect(page.locator(f"#edit-{step_id}")).to_have_attribute("aria-expanded", "true")


def test_a_request_is_planned_looked_at_changed_and_run(open_page: OpenPage, stack: Stack) -> None:
    page = open_page()
    page.click(".plan-first")
    ask(page, "What is 17% of 2340, and what time is it in Tokyo?")
    expect(page.locator(".review .forecast")).to_contain_text("steps")
    expect(page.locator(".review .graph .node")).to_have_count(2)
    run = page.url.rpartition("/")[2]
    untouched = read(stack, f"/api/runs/{run}")
    page.click("button[aria-label='Remove s2']")
    open_card(page, "s1")
    page.fill("#edit-s1-expression", "6 * 7")
    expect(page.locator(".review .graph .node")).to_have_count(1)
    page.click(".review button:text-is('Run it')")

    assert "42" in finished_turn(page)
    assert [each["status"] for each in untouched["steps"]] == ["pending", "pending"]
    ended = read(stack, f"/api/runs/{run}")
    assert [(each["tool"], each["status"]) for each in ended["steps"]] == [("calculate", "succeeded")]
    assert ended["plan"]["revision"] == 2


def test_a_fault_is_told_at_its_field_and_keeps_the_plan_from_running(open_page: OpenPage, stack: Stack) -> None:
    run = held(stack, step("a", "calculate", expression="6*7"), step("b", "sleep", "a", seconds=0))
    page = open_page(f"/#/runs/{run}")
    go = page.locator(".review button:text-is('Run it')")

    open_card(page, "b")
    page.fill("#edit-b-seconds", "soon")
    expect(page.locator("#edit-b-seconds-fault")).to_contain_text("not a number")
    expect(go).to_be_disabled()
    page.fill("#edit-b-seconds", "0.1")
    expect(go).to_be_enabled()
    open_card(page, "a")
    page.fill("#edit-a-expression", "")
    expect(page.locator("#edit-a-expression-fault")).to_contain_text("required")
    expect(go).to_be_disabled()
    page.click("text=Undo changes")
    expect(page.locator("#edit-a-expression")).to_have_value("6*7")
    expect(go).to_be_enabled()


def test_steps_are_added_ordered_and_tied_to_each_other_by_keyboard(open_page: OpenPage, stack: Stack) -> None:
    run = held(stack, step("a", "echo", value="one"), step("b", "noop"))
    page = open_page(f"/#/runs/{run}")

    page.locator("#new-step").select_option("echo")
    page.fill("#edit-s3-value", "${a}")
    expect(page.locator(".after input").first).to_be_checked()
    page.focus("#edit-s3")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("#edit-s3")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("#edit-a")).to_be_focused()
    page.click(".review button:text-is('Keep for later')")
    kept = plans.until(lambda: (found := read(stack, f"/api/runs/{run}/plan"))["revision"] == 2 and found)
    page.reload()
    page.click(".review button:text-is('Run it')")
    ended = plans.until_ended(stack, run)

    assert [each["id"] for each in kept["steps"]] == ["a", "s3", "b"] and kept["awaitsReview"]
    assert ended["status"] == "succeeded"
    assert {each["id"]: each["output"] for each in ended["steps"]}["s3"]["value"]["value"] == "one"


def test_the_inbox_leads_to_a_plan_and_cancelling_it_does_nothing_else(open_page: OpenPage, stack: Stack) -> None:
    run = held(stack, step("pay", "unsafe_effect"), labels={"which": "cancelled"})
    page = open_page("/#/inbox")

    page.click(f"section[aria-labelledby='reviews-title'] a[href*='{run}']")
    page.click(".review button:has-text('Cancel run')")
    ended = plans.until_ended(stack, run)

    assert (ended["status"], ended["steps"][0]["attempts"]) == ("cancelled", 0)


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(open_page: OpenPage, stack: Stack) -> None:
    run = held(stack, step("a", "echo", value="one"))
    page, other = open_page(f"/#/runs/{run}"), open_page(f"/#/runs/{run}")
    for each, words in ((page, "mine"), (other, "theirs")):
        expect(each.locator("#edit-a-value")).to_be_visible()
        each.fill("#edit-a-value", words)
    other.click(".review button:text-is('Keep for later')")
    plans.until(lambda: read(stack, f"/api/runs/{run}/plan")["revision"] == 2)
    page.click(".review button:text-is('Run it')")
    expect(page.locator(".review .problem")).to_contain_text("revision 2")

    assert read(stack, f"/api/runs/{run}/plan")["steps"][0]["arguments"] == {"value": "theirs"}
