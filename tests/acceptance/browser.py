"""A headless Chromium for the page's tests, as fixtures: name this module in `pytest_plugins` of a test file.

`browser` is the Chromium; `open_page(path="/", **options)` opens the page of the running stack in a context of its own
and fails the test when the page broke its content security policy or threw.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.acceptance.visits import OpenPage, Stack

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH_POLICY = """
    globalThis.violations = [];
    addEventListener("securitypolicyviolation", (e) => violations.push(`${e.violatedDirective} ${e.blockedURI}`));
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the session; the tests that need it are skipped where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, stack: Stack) -> Iterator[OpenPage]:
    """Opens the page at a path; keyword arguments go to the browser context (viewport, color_scheme, …)."""
    faults: list[str] = []
    opened: list[Page] = []

    def open_at(path: str = "/", *, url: str | None = None, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.set_default_timeout(20_000)
        context.add_init_script(WATCH_POLICY)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto((url or stack.url) + path)
        page.wait_for_selector("main", state="attached")
        opened.append(page)
        return page

    yield open_at
    for page in opened:
        faults += page.evaluate("globalThis.violations")
        page.context.close()
    assert faults == []
