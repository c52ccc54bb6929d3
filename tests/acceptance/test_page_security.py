"""The page's content security policy is strict, is kept, and text from models or tools can't get around it."""

import pytest

from tests.acceptance.visits import OpenPage, Stack, ask, finished_turn, start_run

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

CANARY = "http://127.0.0.1:9/canary.png"
HOSTILE = f"""![seen]({CANARY}) <img src="{CANARY}" onerror="document.title='taken'">
[click](javascript:document.title='taken') <script>document.title='taken'</script>
| a | <img src={CANARY}> |
|---|---|
| `{CANARY}` | ![x]({CANARY}) |"""


def test_the_policy_allows_nothing_that_is_not_ours(open_page: OpenPage) -> None:
    page = open_page()

    response = page.request.get(page.url)

    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy
    assert response.text().count("nonce=") == 1


def test_the_nonce_is_new_for_every_visit(open_page: OpenPage) -> None:
    page = open_page()

    policies = {page.request.get(page.url).headers["content-security-policy"] for _ in range(3)}

    assert len(policies) == 3


def test_a_whole_visit_breaks_no_policy(open_page: OpenPage) -> None:
    page = open_page()

    ask(page, "What is 17% of 2340, and what time is it in Tokyo?")
    finished_turn(page)
    page.click(".steps button")
    page.click("button[aria-label='Keyboard shortcuts']")
    page.keyboard.press("Escape")

    assert page.evaluate("violations") == []
    assert page.locator(":not(.graph > svg)[style]").count() == 0


def test_hostile_text_from_a_tool_stays_text(open_page: OpenPage, stack: Stack) -> None:
    run = start_run(stack, {"plan": {"steps": [{"id": "s1", "tool": "echo", "arguments": {"value": HOSTILE}}]}})
    page = open_page()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))

    page.goto(f"{stack.url}/#/runs/{run}")
    finished_turn(page)
    page.click(".steps button")

    assert page.locator("img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert "taken" not in page.title()
    assert [url for url in requested if "canary" in url] == []
