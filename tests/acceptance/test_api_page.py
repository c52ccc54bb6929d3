"""/docs shows the whole API from its document: found by a word, read without a mouse, within the strict policy."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.acceptance.visits import OpenPage, Stack

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser


def test_every_route_is_there_and_unfolds_to_what_it_takes_and_gives(open_page: OpenPage, stack: Stack) -> None:
    page = open_page("/docs")
    expect(page.locator(".docs-route").first).to_be_visible()
    document: dict[str, Any] = page.request.get(f"{stack.url}/openapi.json").json()
    routes = sum(len(methods) for methods in document["paths"].values())
    expect(page.locator("details.docs-route")).to_have_count(routes)

    page.get_by_label("Find a route").fill("agent/start")
    expect(page.locator("details.docs-route")).to_have_count(1)
    page.locator("details.docs-route > summary").press("Enter")
    expect(page.locator(".docs-inside pre").first).to_contain_text("What is 17% of 2340?")
    page.locator(".docs-reply summary", has_text="202").click()
    page.locator(".docs-reply .docs-named summary", has_text="Accepted").click()

    expect(page.locator(".docs-reply .docs-fields")).to_contain_text("updatesUrl")
    assert page.evaluate("violations") == []


def test_a_link_to_a_route_opens_it(open_page: OpenPage) -> None:
    page = open_page("/docs#runs.listed")

    expect(page.locator("details[id='runs.listed'] .docs-inside")).to_contain_text("conversationId")


@pytest.mark.parametrize(("width", "color_scheme"), [(1280, "light"), (390, "dark")])
def test_axe_is_content_with_it(open_page: OpenPage, width: int, color_scheme: str) -> None:
    page = open_page(
        "/docs#run_bulk.change_many",
        viewport={"width": width, "height": 844},
        color_scheme=color_scheme,
        bypass_csp=True,
    )
    expect(page.locator(".docs-inside").first).to_be_visible()
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]

    assert [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
