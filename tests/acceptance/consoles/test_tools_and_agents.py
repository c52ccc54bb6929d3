"""Tools are looked through and tried; agents are made, changed and dropped; the day is given a budget."""

import pytest
from playwright.sync_api import expect

from tests.acceptance.visits import OpenPage, Stack, ask, finished_turn, read

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser


def test_a_tool_is_found_and_tried_with_arguments_of_its_schema(open_page: OpenPage, stack: Stack) -> None:
    page = open_page("/#/tools")
    page.fill("input[name=text]", "convert")
    page.click("#tool-convert_units")
    expect(page.locator(".examples button")).not_to_have_count(0)
    page.click(".try button:has-text('Run it')")
    expect(page.locator("#try-value-fault")).to_contain_text("required")
    page.fill("#try-value", "3")
    page.fill("#try-from_unit", "feet")
    page.fill("#try-to_unit", "inches")
    page.click(".try button:has-text('Run it')")
    expect(page.locator(".drawer .step-said")).to_contain_text("36")
    run = read(stack, f"/api/runs/{page.url.rpartition('/')[2].partition('?')[0]}")

    assert run["steps"][0]["arguments"] == {"value": 3, "from_unit": "feet", "to_unit": "inches"}


def test_an_example_of_a_tool_becomes_the_next_request(open_page: OpenPage) -> None:
    page = open_page("/#/tools?tool=current_time")
    example = page.locator(".examples button").first
    words = example.inner_text()
    example.click()

    expect(page.locator("#request")).to_have_value(words)


def test_an_agent_is_made_changed_and_dropped(open_page: OpenPage, stack: Stack) -> None:
    page = open_page("/#/agents")
    page.click("button:text-is('New agent')")
    page.fill("input[name=name]", "navigator")
    page.fill("textarea[name=instructions]", "Speak of the sea.")
    page.fill("input[name=tools]", "calc*, current_time")
    page.fill("input[name=budget-tokens]", "5000")
    page.click("button:text-is('Make it')")
    expect(page.locator("li.entry", has_text="navigator")).to_contain_text("at most 5,000 tokens")
    made = read(stack, "/api/agents/navigator")
    page.click("button[aria-label='Change navigator']")
    page.select_option("select[name=memory]", "none")
    page.fill("input[name=budget-tokens]", "")
    page.click("button:text-is('Change it')")
    expect(page.locator("li.entry", has_text="navigator")).to_contain_text("no memory")
    changed = read(stack, "/api/agents/navigator")
    page.click(".rail a:has-text('Chat')")
    page.select_option(".composer-foot select", "navigator")
    ask(page, "What is 3 times 3?")
    finished_turn(page)
    run = read(stack, f"/api/runs/{page.url.rpartition('/')[2]}")
    page.goto(f"{stack.url}/#/agents")
    page.click("button[aria-label='Remove navigator']")
    page.click("button:text-is('Drop it')")
    expect(page.locator("li.entry", has_text="navigator")).to_have_count(0)

    assert (made["tools"], made["budget"]) == (["calc*", "current_time"], {"tokens": 5000, "onExceed": "stop"})
    assert (changed["instructions"], changed["memory"], changed["budget"]) == ("Speak of the sea.", "none", None)
    assert run["agent"] == "navigator"


def test_the_day_is_given_a_budget_and_freed_of_it(open_page: OpenPage, stack: Stack) -> None:
    page = open_page("/#/usage")
    page.click("section[aria-labelledby=daily-title] .title-line button")
    page.fill("input[name=budget-tokens]", "9000000")
    page.click("button:text-is('Keep it')")
    expect(page.locator(".wide-gauges")).to_contain_text("of 9,000,000 tokens")
    limits = read(stack, "/api/budgets/daily")
    page.click("button:text-is('Change')")
    page.fill("input[name=budget-tokens]", "")
    page.click("button:text-is('Keep it')")
    expect(page.locator("section[aria-labelledby=daily-title]")).to_contain_text("Nothing limits")

    assert limits["tokens"] == 9_000_000
