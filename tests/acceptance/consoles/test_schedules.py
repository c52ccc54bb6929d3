"""Schedules on the page: made with the next moments in view, run now, paused, changed, made up for, dropped."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.acceptance.visits import OpenPage, Stack, finished_turn, read, send

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser


def entry(page: Page, name: str) -> Locator:
    return page.locator("li.entry", has=page.locator(f"button[aria-label='Change {name}']"))


def test_a_schedule_is_made_looked_ahead_and_run_now(open_page: OpenPage, stack: Stack) -> None:
    page = open_page("/#/schedules")
    page.click("button:text-is('New schedule')")
    page.fill("input[name=name]", "cockcrow")
    page.fill("textarea[name=request]", "What is 6 times 7?")
    page.fill("input[list=crons]", "61 * * * *")
    expect(page.locator(".preview .fault")).to_be_visible()
    expect(page.locator("button:text-is('Schedule it')")).to_be_disabled()
    page.fill("input[list=crons]", "30 7 * * 1-5")
    page.fill("input[list=zones]", "Europe/Berlin")
    expect(page.locator(".preview")).to_contain_text("07:30")
    expect(page.locator(".preview li")).to_have_count(5)
    page.click("button:text-is('Schedule it')")
    expect(entry(page, "cockcrow")).to_contain_text("Europe/Berlin")
    made = read(stack, "/api/schedules/cockcrow")
    page.click("button[aria-label='Run cockcrow now']")

    assert "42" in finished_turn(page)
    assert (made["cron"], made["timezone"], made["overlap"]) == ("30 7 * * 1-5", "Europe/Berlin", "skip")


def test_a_schedule_is_paused_changed_and_dropped(open_page: OpenPage, stack: Stack) -> None:
    send(stack, "POST", "/api/schedules", {"name": "tide", "run": {"request": "What is 1 + 1?"}, "every": 43_200})
    page = open_page("/#/schedules")
    mine = entry(page, "tide")

    page.click("button[aria-label='Pause tide']")
    expect(mine).to_contain_text("paused")
    page.click("button[aria-label='Change tide']")
    mine.locator("input[type=number]").fill("3")
    expect(mine.locator(".preview")).to_contain_text("Every 3 hours")
    mine.locator("select[name=overlap]").select_option("queue")
    mine.locator("button:text-is('Change it')").click()
    expect(mine.locator("form")).to_have_count(0)
    changed = read(stack, "/api/schedules/tide")
    page.click("button[aria-label='Remove tide']")
    mine.locator("button:text-is('Drop it')").click()
    expect(mine).to_have_count(0)

    assert (changed["every"], changed["overlap"], changed["paused"]) == (10_800, "queue", True)


def test_a_time_is_made_up_for_after_a_look_at_what_would_run(open_page: OpenPage, stack: Stack) -> None:
    run = {"request": "What is 2 + 3?"}
    send(stack, "POST", "/api/schedules", {"name": "ebb", "run": run, "cron": "0 6 * * *", "paused": True})
    page = open_page("/#/schedules", timezone_id="UTC")
    mine = entry(page, "ebb")

    page.click("button[aria-label='Slots of ebb']")
    mine.locator("input[name=since]").fill("2026-01-01T00:00")
    mine.locator("input[name=until]").fill("2026-01-03T00:00")
    mine.locator("button:text-is('Show what would run')").click()
    expect(mine.locator(".sure")).to_contain_text("2 moments without a run")
    before = read(stack, "/api/schedules/ebb/slots")["items"]
    mine.locator("button:text-is('Start 2 runs')").click()
    expect(mine.locator(".moments a")).to_have_count(2)

    assert before == []
