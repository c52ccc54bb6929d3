"""The example of docs/browser.html does what it shows: asks, follows, checks that nothing is missing, cancels."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.visits import OpenPage, Stack

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

EXAMPLE = Path(__file__).parents[2] / "docs" / "browser.html"


def example(open_page: OpenPage, stack: Stack) -> Page:
    """The example as if the gateway served it: a web app of one's own would stand behind the same address."""
    page = open_page()
    page.context.grant_permissions(["local-network-access"])  # what is put into its place counts as from elsewhere
    page.route("**/example", lambda route: route.fulfill(body=EXAMPLE.read_text(), content_type="text/html"))
    page.goto(f"{stack.url}/example")
    return page


def test_it_asks_follows_and_proves_that_all_events_came(open_page: OpenPage, stack: Stack) -> None:
    page = example(open_page, stack)
    page.get_by_text("Ask").click()

    expect(page.get_by_role("log")).to_contain_text("397.8", timeout=30_000)
    expect(page.get_by_role("log")).to_contain_text("events came.", timeout=30_000)


def test_it_cancels_over_the_same_socket(open_page: OpenPage, stack: Stack) -> None:
    page = example(open_page, stack)
    page.get_by_label("What you want").fill("Wait 60 seconds")
    page.get_by_text("Ask").click()
    page.wait_for_timeout(1_000)
    page.get_by_text("Stop").click()

    expect(page.get_by_role("log")).to_contain_text("(stop: done)")
    expect(page.get_by_role("log")).to_contain_text("events came.", timeout=30_000)
