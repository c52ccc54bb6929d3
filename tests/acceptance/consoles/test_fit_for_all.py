"""Every place suits axe in both colour schemes, wide and narrow; none scrolls sideways; each tab stop is visible."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.acceptance.consoles import plans
from tests.acceptance.consoles.plans import step
from tests.acceptance.test_page_keyboard import FOCUS_MARK
from tests.acceptance.visits import OpenPage, Stack, read, send, start_run

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).parents[2] / "artefacts"  # to look at; not kept in the repository
SIZES = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def places(stack: Stack) -> list[tuple[str, str | None]]:
    """(path, what to click there) of every place in a state in which there is something to see."""
    failed = plans.started(
        stack, step("flaky", "fails_at_first", times=9), step("b", "noop", "flaky"), labels={"a": "b"}
    )
    letter = plans.letter_of(stack, failed)["id"]
    other = plans.started(stack, step("flaky", "echo", value="a much longer value " * 20), step("c", "noop"))
    doubt = plans.started(stack, step("pay", "breaks_after_its_effect"), step("wait", "sleep", seconds=600))
    plans.until_step(stack, doubt, "pay", "in_doubt")
    asking = plans.started(stack, step("gated", "gated_effect", number=1))
    plans.until(lambda: read(stack, f"/api/approvals?workflowId={asking}")["items"])
    plans.until_ended(stack, failed)
    plans.until_ended(stack, other)
    start_run(stack, {"request": "Remember that the hedge is new"})
    plan = {"steps": [step("a", "echo", value="one"), step("pay", "gated_effect", "a", number=2)]}
    held = start_run(stack, {"plan": plan, "review": True})
    send(stack, "PUT", "/api/agents/gardener", {"instructions": "Speak of plants.", "budget": {"tokens": 5_000}})
    send(stack, "PUT", "/api/budgets/daily", {"tokens": 10_000_000})
    every_day = {"name": "water", "run": {"request": "What is 2 + 3?"}, "every": 86_400, "paused": True}
    send(stack, "POST", "/api/schedules", every_day)
    return [
        ("/#/inbox", "button:text-is('Discard all…')"),
        (f"/#/inbox?letter={letter}", ".drawer button:text-is('Discard')"),
        ("/#/runs", ".runs-table tbody input >> nth=0"),
        (f"/#/runs/{doubt}?step=pay", ".drawer button:text-is('It happened')"),
        (f"/#/runs/{failed}?step=flaky", ".drawer button:text-is('With other arguments')"),
        (f"/#/runs/{failed}", ".switch button:text-is('Timeline')"),
        (f"/#/diff/{failed}/{other}", None),
        ("/#/memory?user=default", ".memory button >> nth=0"),
        ("/#/limits", "button:text-is('New limit')"),
        ("/#/doctor", None),
        (f"/#/runs/{held}", "#edit-pay"),
        ("/#/schedules?open=new", None),
        ("/#/schedules", "button[aria-label='Slots of water']"),
        ("/#/tools", "#tool-convert_units"),
        ("/#/agents", "button[aria-label='Change gardener']"),
        ("/#/usage", "button:text-is('Change')"),
    ]


def visit(page: Page, url: str, click: str | None) -> None:
    """Go to a place and open what can be opened there."""
    page.goto("about:blank")
    page.goto(url)
    page.wait_for_selector("main", state="attached")
    plan = page.locator(".pane-switch button:text-is('Plan')")
    if "?" not in url and plan.is_visible():  # else a drawer opens over it
        plan.click()
    if click:
        page.click(click)
    page.wait_for_timeout(400)  # colours fade in


@pytest.mark.parametrize(("size", "color_scheme"), [("wide", "light"), ("narrow", "dark")])
def test_axe_is_content_everywhere_and_nothing_scrolls_sideways(
    open_page: OpenPage, stack: Stack, places: list[tuple[str, str | None]], size: str, color_scheme: str
) -> None:
    page = open_page("/", viewport=SIZES[size], color_scheme=color_scheme, bypass_csp=True)
    faults = []
    for number, (path, click) in enumerate(places, start=1):
        visit(page, stack.url + path, click)
        page.screenshot(path=SCREENSHOTS / f"{size}-{color_scheme}-{number:02}.png")
        violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
        faults += [
            f"{path} {rule['id']}: {node['target']} {node['failureSummary']}"
            for rule in violations
            for node in rule["nodes"]
        ]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append(f"{path} is wider than the screen")

    assert faults == []


def test_every_tab_stop_of_every_place_is_visible(
    open_page: OpenPage, stack: Stack, places: list[tuple[str, str | None]]
) -> None:
    page = open_page("/")
    hidden = []
    for path, click in places:
        visit(page, stack.url + path, click)
        page.evaluate("document.activeElement.blur()")
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement === document.body"):
                break
            name, visible = page.evaluate(FOCUS_MARK)
            if not visible:
                hidden.append(f"{path} {name}")

    assert hidden == []
