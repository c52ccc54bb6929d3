"""Limits are set, paused and lifted; the doctor repairs what it finds; memories are corrected and forgotten."""

import json
import urllib.request

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from services import database
from tests.acceptance.consoles import plans
from tests.acceptance.consoles.plans import step
from tests.acceptance.visits import OpenPage, Stack, read

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser


def test_a_limit_is_made_paused_explained_resumed_and_lifted(open_page: OpenPage, stack: Stack) -> None:
    page = open_page("/#/limits")

    page.click("button:text-is('New limit')")
    page.fill("input[name=key]", "printer")
    page.fill("input[name=parallelism]", "1")
    page.click("button:text-is('Limit it')")
    page.click("button[aria-label='Pause printer']")
    expect(page.locator(".limit.is-paused")).to_contain_text("printer")
    run = plans.started(stack, {**step("print", "echo", value="page"), "flow": "printer"})
    expect(page.locator(".limit.is-paused .gauges div").last).to_contain_text("1")
    page.evaluate("run => (location.hash = `#/runs/${run}`)", run)
    expect(page.locator(".why")).to_contain_text("printer, which is paused")
    page.click(".why a")
    page.click("button[aria-label='Resume printer']")
    assert plans.until_ended(stack, run)["status"] == "succeeded"
    page.click("button[aria-label='Remove printer']")
    page.click("button:text-is('Remove it')")

    expect(page.locator(".limit")).to_have_count(0)
    assert read(stack, "/api/flow")["items"] == []


def test_the_doctor_finds_what_broke_and_repairs_it(open_page: OpenPage, stack: Stack) -> None:
    run = plans.started(stack, step("wait", "sleep", seconds=600), step("b", "noop", "wait"))
    plans.until_step(stack, run, "wait", "waiting")
    with database.session() as session:
        session.execute(text("update steps set unmet = 7 where run_id = :run and id = 'b'"), {"run": run})
    page = open_page("/#/doctor")

    expect(page.locator(".verdict.is-ill")).to_be_visible()
    # other tests leave broken runs behind: this one looks at its own only
    broken = page.locator("section[aria-label='Findings'] .finding", has_text="counts 7 unmet dependencies but has 1")
    expect(broken).to_be_visible()
    page.click("button:has-text('Repair')")

    expect(page.locator("section[aria-label='Repaired just now']")).to_contain_text("counts 7 unmet dependencies")
    expect(broken).to_have_count(0)
    assert run not in str(read(stack, "/api/doctor")["findings"])


def test_a_memory_is_corrected_and_another_forgotten(open_page: OpenPage, stack: Stack) -> None:
    body = {"items": [{"text": words, "userId": "gardener"} for words in ("The roses are red", "The hedge is new")]}
    request = urllib.request.Request(
        f"{stack.url}/api/memory", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=20).close()
    page = open_page("/#/memory?user=gardener")

    expect(page.locator(".memory")).to_have_count(2)
    page.click("button[aria-label='Correct: The roses are red']")
    page.fill(".memory textarea", "The roses are white")
    page.click("button:text-is('Correct it')")
    expect(page.locator(".memory:has-text('white')")).to_contain_text(["The roses are white"])
    page.click("button[aria-label='Forget: The hedge is new']")
    page.click("button:text-is('Forget it')")
    expect(page.locator(".memory")).to_have_count(1)

    held = read(stack, "/api/memory?userId=gardener")["items"]
    assert [item["text"] for item in held] == ["The roses are white"]


def test_a_remembered_answer_leads_back_to_its_run(open_page: OpenPage, stack: Stack) -> None:
    page = open_page()
    page.fill("#request", "Convert 5 miles to km")
    page.press("#request", "Enter")
    page.wait_for_selector("article.turn footer .tone-succeeded", timeout=60_000)
    run = page.url.rpartition("/")[2]

    page.click(".rail a:has-text('Memory')")
    page.click(f".memory a[href*='{run}']")

    expect(page.locator("article.turn")).to_contain_text("Convert 5 miles to km")
