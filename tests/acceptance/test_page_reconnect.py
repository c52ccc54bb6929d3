"""A reload or a broken connection in the middle of a run loses nothing and doubles nothing."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests import cut_proxy
from tests.acceptance.visits import OpenPage, Stack, finished_turn, line_of_sleeps, read, start_run

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

# A second client's view of a run: what the page's own stream module hands on, as the list of sequence numbers.
FOLLOWED = """
async (id) => {
  const { follow } = await import("/static/run_stream.mjs");
  globalThis.seen = [];
  globalThis.states = [];
  follow(id, {
    onEvents: (events) => seen.push(...events.map((event) => event.seq)),
    onConnection: (state) => states.push(state),
    stillThere: async () => true,
  });
}
"""


def _until_stream(page: Page, *, live: bool) -> None:
    """Wait until the follower's connection is (or no longer is) live."""
    until = time.monotonic() + 20
    while (page.evaluate("states.at(-1)") == "live") is not live:
        assert time.monotonic() < until, page.evaluate("states")
        time.sleep(0.02)


def test_a_reload_in_the_middle_of_a_run_keeps_everything(open_page: OpenPage, stack: Stack) -> None:
    page = open_page()
    run = start_run(stack, line_of_sleeps(6, 1.8))
    page.evaluate("run => (location.hash = `#/runs/${run}`)", run)
    page.wait_for_selector(".steps .tone-succeeded")

    page.reload()
    page.wait_for_selector(".steps .tone-running")
    in_the_middle = page.locator(".steps > li").count(), page.locator(".steps .tone-succeeded").count()
    finished_turn(page)

    assert in_the_middle[0] == 6
    assert 1 <= in_the_middle[1] < 6
    expect(page.locator(".graph .node-succeeded")).to_have_count(6)
    assert page.url.endswith(run)


def test_cut_connections_lose_no_event_and_double_none(open_page: OpenPage, stack: Stack) -> None:
    run = start_run(stack, line_of_sleeps(12, 1.5))
    with cut_proxy.in_front_of(stack.url) as proxy:
        page = open_page("/", url=proxy.url)
        page.evaluate(FOLLOWED, run)
        for _ in range(4):
            _until_stream(page, live=True)
            proxy.cut()
            _until_stream(page, live=False)
        page.goto(f"{proxy.url}/#/runs/{run}")
        finished_turn(page)
        time.sleep(0.5)
        seen, states = page.evaluate("[globalThis.seen, globalThis.states]")

    assert states.count("waiting") >= 3
    assert states[-1] == "ended"
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) >= 12 * 2 + 3
    assert read(stack, f"/api/runs/{run}")["status"] == "succeeded"


def test_the_page_says_when_the_connection_is_gone_and_comes_back(open_page: OpenPage, stack: Stack) -> None:
    run = start_run(stack, line_of_sleeps(8, 1))
    with cut_proxy.in_front_of(stack.url) as proxy:
        page = open_page(f"/#/runs/{run}", url=proxy.url)
        expect(page.locator(".connection")).to_have_text("Live")
        for _ in range(3):
            proxy.cut()
            time.sleep(0.1)
        expect(page.locator(".connection")).to_have_text("Live")
        finished_turn(page)

        assert page.locator(".graph .node-succeeded").count() == 8
