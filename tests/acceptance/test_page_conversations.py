"""Conversations are listed, gone on with, renamed, forked and forgotten; a request is corrected and sent anew."""

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.visits import OpenPage, Stack, ask, finished_turn, read

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser


def talked(page: Page, *requests: str) -> None:
    for turn, request in enumerate(requests, start=1):
        ask(page, request)
        finished_turn(page, turn=turn)


def test_a_conversation_is_gone_on_with_renamed_and_forgotten(open_page: OpenPage, stack: Stack) -> None:
    page = open_page()
    talked(page, "What is 11 times 12?")
    conversation = read(stack, f"/api/runs/{page.url.rpartition('/')[2]}")["conversationId"]
    page.click("button[aria-label='New conversation']")
    page.click(f".past-runs a[href$='{conversation}']")
    expect(page.locator(".asked")).to_have_text("What is 11 times 12?")
    ask(page, "What is 13 times 14?")
    finished_turn(page, turn=2)
    mine = page.locator(".past", has=page.locator(f"a[href$='{conversation}']"))
    mine.hover()
    mine.locator("button[title=Rename]").click()
    page.keyboard.type("Times tables")
    page.keyboard.press("Enter")
    expect(mine).to_contain_text("Times tables")
    said = read(stack, f"/api/conversations/{conversation}/messages")["items"]
    mine.locator("button[title=Forget]").click()
    mine.locator("button:text-is('Forget it')").click()
    expect(mine).to_have_count(0)

    assert [message["role"] for message in said] == ["user", "assistant"] * 2
    assert read(stack, f"/api/conversations/{conversation}/messages")["items"] == []


def test_a_fork_begins_with_what_was_said(open_page: OpenPage, stack: Stack) -> None:
    page = open_page()
    talked(page, "What is 21 times 2?")
    mine = page.locator(".past", has=page.locator("a[aria-current]"))
    mine.hover()
    mine.locator("button[title=Fork]").click()
    expect(page.locator("article[aria-label='Said before']")).to_have_count(2)
    ask(page, "What is 22 times 2?")
    finished_turn(page, turn=3)
    conversation = read(stack, f"/api/runs/{page.url.rpartition('/')[2]}")["conversationId"]

    said = [message["text"] for message in read(stack, f"/api/conversations/{conversation}/messages")["items"]]
    assert said[0] == "What is 21 times 2?" and said[2] == "What is 22 times 2?"


def test_a_request_is_corrected_and_sent_anew_by_keyboard(open_page: OpenPage, stack: Stack) -> None:
    page = open_page()
    talked(page, "What is 2 + 2?", "What is 5 times 5?")
    before = page.url
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(page.locator(".anew textarea")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("What is 6 times 6?")
    page.keyboard.press("Enter")
    expect(page.locator(".asked")).to_have_text(["What is 2 + 2?", "What is 6 times 6?"])
    assert "36" in finished_turn(page, turn=3)

    old = read(stack, f"/api/runs/{before.rpartition('/')[2]}")
    new = read(stack, f"/api/runs/{page.url.rpartition('/')[2]}")
    assert old["conversationId"] != new["conversationId"] and old["status"] == "succeeded"


def test_while_a_run_lives_one_chooses_what_becomes_of_the_next_request(open_page: OpenPage, stack: Stack) -> None:
    page = open_page()
    ask(page, "Wait 50 seconds")
    expect(page.locator(".busy option")).to_have_text(["comes after it", "takes its place"])
    page.locator(".busy select").select_option("interrupt")
    ask(page, "What is 8 times 8?")

    assert "64" in finished_turn(page, turn=2)
    expect(page.locator("article.turn >> nth=0 >> footer .tone-cancelled")).to_be_visible()
