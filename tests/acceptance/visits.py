"""What the page's tests do on a visit: open the page, ask, wait for the answer; and the same stack's API beside it."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any, Protocol

from playwright.sync_api import Page

OpenPage = Callable[..., Page]


class Stack(Protocol):
    """What the `stack` fixture gives: a whole running Perdure with the offline brain and no keys asked for."""

    url: str


def line_of_sleeps(count: int, seconds: float) -> dict[str, Any]:
    """The body that starts a caller's plan of `count` steps, one after another, each `seconds` long (at most 2)."""
    steps: list[dict[str, Any]] = []
    for at in range(1, count + 1):
        before = [f"s{at - 1}"] if at > 1 else []
        steps.append({"id": f"s{at}", "tool": "sleep", "arguments": {"seconds": seconds}, "dependsOn": before})
    return {"plan": {"steps": steps}}


def start_run(stack: Stack, body: dict[str, Any]) -> str:
    """Start a run over the API; returns its id."""
    return send(stack, "POST", "/api/agent/start", body)["workflowId"]


def send(stack: Stack, method: str, path: str, body: dict[str, Any]) -> Any:
    """Send a body to a path of the stack; returns the JSON of the reply."""
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(stack.url + path, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


def read(stack: Stack, path: str) -> Any:
    """The JSON at a path of the stack."""
    with urllib.request.urlopen(stack.url + path, timeout=20) as response:
        return json.load(response)


def ask(page: Page, request: str) -> None:
    """Write a request into the chat box and send it."""
    page.fill("#request", request)
    page.press("#request", "Enter")


def finished_turn(page: Page, *, turn: int = 1, status: str = "succeeded") -> str:
    """Wait until that turn of the conversation has ended so; returns the text of its answer."""
    article = f"article.turn >> nth={turn - 1}"
    page.wait_for_selector(f"{article} >> footer .tone-{status}", timeout=60_000)
    return page.inner_text(f"{article} >> .answer")
