"""The inbox: dead letters are found by filter, looked into, resumed, restarted and put away, one by one or in bulk."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.consoles import plans
from tests.acceptance.consoles.plans import step
from tests.acceptance.visits import OpenPage, Stack, read
from tests.loopback_site import LoopbackSite
from tests.loopback_site import page as site_page

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

FAILING = step("divide", "calculate", expression="1/0")


def failed(stack: Stack, team: str) -> dict[str, Any]:
    """The dead letter of a run that failed for good, labelled with this team."""
    return plans.letter_of(stack, plans.started(stack, FAILING, labels={"team": team}))


def test_a_dead_letter_is_redriven_once_its_cause_is_gone(open_page: OpenPage, stack: Stack) -> None:
    with LoopbackSite({"/": site_page("", status=503)}) as site:
        fetch = {**step("fetch", "fetch_page", url=site.url("/")), "retry": {"attempts": 2, "base": 0.05}}
        run = plans.started(stack, fetch, step("then", "echo", "fetch", value="there"), labels={"team": "redrive"})
        letter = plans.letter_of(stack, run)
        plans.until_ended(stack, run)
        page = open_page("/#/inbox?label=team:redrive")

        page.click("button.row")
        expect(page.locator(".drawer .attempts li")).to_have_count(2)
        site.pages["/"] = site_page("<p>Hello again</p>")
        page.click(".drawer button:text-is('Resume from there')")
        page.wait_for_url(lambda url: "/runs/" in url and run not in url)
        page.wait_for_selector(".plan-head .tone-succeeded")

    after = read(stack, f"/api/dead-letters/{letter['id']}")
    assert after["resolution"] == "resumed"
    assert page.url.endswith(after["successor"])


def test_letters_are_found_by_reason_tool_and_label_and_the_address_keeps_the_filter(
    open_page: OpenPage, stack: Stack
) -> None:
    failed(stack, "filters")
    plans.letter_of(stack, plans.started(stack, step("flaky", "fails_at_first", times=9), labels={"team": "filters"}))
    page = open_page("/#/inbox")

    page.fill("input[name=label]", "team:filters")
    page.wait_for_url("**label=team%3Afilters**")
    expect(page.locator("button.row")).to_have_count(2)
    page.select_option(".filters select >> nth=1", "failed")
    expect(page.locator("button.row")).to_have_count(1)
    page.reload()
    expect(page.locator("button.row")).to_have_count(1)
    expect(page.locator("button.row")).to_contain_text("divides by zero")
    page.select_option(".filters select >> nth=1", "")
    page.fill("input[name=tool]", "fails_at_first")
    page.wait_for_url("**tool=fails_at_first**")

    expect(page.locator("button.row")).to_have_count(1)
    expect(page.locator("button.row")).to_contain_text("not yet")


def test_a_bulk_says_first_what_it_would_do_and_touches_only_what_fits(open_page: OpenPage, stack: Stack) -> None:
    letters = [failed(stack, "bulk") for _ in range(3)]
    other = failed(stack, "spared")
    page = open_page("/#/inbox?label=team:bulk")

    page.click("button:text-is('Discard all…')")
    expect(page.locator("[aria-label='Dry run']")).to_contain_text("3 letters would be put away")
    assert [read(stack, f"/api/dead-letters/{letter['id']}")["resolution"] for letter in letters] == [None] * 3
    page.click("button:text-is('Yes, discard 3')")
    expect(page.locator(".empty")).to_be_visible()

    assert [read(stack, f"/api/dead-letters/{letter['id']}")["resolution"] for letter in letters] == ["discarded"] * 3
    assert read(stack, f"/api/dead-letters/{other['id']}")["resolution"] is None


def test_a_bulk_resume_starts_each_run_once(open_page: OpenPage, stack: Stack) -> None:
    runs = [failed(stack, "again")["workflowId"] for _ in range(2)]
    for run in runs:
        plans.until_ended(stack, run)
    page = open_page("/#/inbox?label=team:again")

    page.click("button:text-is('Resume all…')")
    page.click("button:text-is('Yes, resume 2')")
    expect(page.locator(".toast")).to_contain_text("2 runs go on")

    for run in runs:
        forks = read(stack, f"/api/runs/{run}/lineage")["forks"]
        assert len(forks) == 1


def test_a_letter_is_put_away_without_a_mouse(open_page: OpenPage, stack: Stack) -> None:
    letter = failed(stack, "keys")
    page = open_page("/#/")

    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_selector("input[name=label]")
    page.focus("input[name=label]")
    page.keyboard.type("team:keys")
    expect(page.locator("button.row")).to_have_count(1)
    page.keyboard.press("Escape")
    page.focus("button.row")
    page.keyboard.press("Enter")
    expect(page.locator(".drawer")).to_be_focused()
    expect(page.locator(".drawer .actions")).to_be_visible()
    while page.evaluate("document.activeElement.textContent") != "Discard":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".sure .danger")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("put away")
    page.keyboard.press("Escape")

    expect(page.locator(".drawer")).to_have_count(0)
    assert read(stack, f"/api/dead-letters/{letter['id']}")["resolution"] == "discarded"


def test_the_rail_counts_what_needs_a_person(open_page: OpenPage, stack: Stack) -> None:
    failed(stack, "counted")
    lists = ("/api/dead-letters?limit=200", "/api/doubts", "/api/approvals", "/api/reviews")
    entries = [entry for path in lists for entry in read(stack, path)["items"]]
    needing = sum(entry.get("kind") != "callback" for entry in entries)
    page = open_page("/#/inbox")

    assert needing > 0
    expect(page.locator(".badge")).to_have_text(f"{needing} need a person")
