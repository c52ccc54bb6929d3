"""What a model or a page wrote can't make a terminal do anything: no colours, titles, links, clipboards, bells."""

import pytest
from rich.console import Console

from gateway.command_line import run_view

AT = "2026-11-27T12:00:00.000000Z"
HOSTILE = ["\x1b]0;title\x07", "\x1b]8;;http://evil/\x1b\\click\x1b]8;;\x1b\\", "\x1b[2J", "\x9b31m", 
           "\x1b]52;c;ZXZpbA==\x07", "a\rb", "\x08\x08\x08", "\x7f"]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_controls_are_shown_as_what_they_are(text: str) -> None:
    shown = run_view.harmless(f"before {text} after\n")

    assert not any(ord(each) < 32 or 127 <= ord(each) < 160 for each in shown.rstrip("\n"))
    assert shown.startswith("before ") and shown.endswith(" after\n")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_run_is_shown_without_them(text: str) -> None:
    view = run_view.RunView()
    view.take({"name": "plan.created", "stepId": None, "data": {"steps": [{"id": "s1", "tool": text, "why": text}]}})
    view.take({"name": "step.succeeded", "stepId": "s1", "at": AT, "data": {"attempt": 1, "output": {"text": text}}})
    view.take({"name": "run.succeeded", "stepId": None, "data": {"answer": text}})
    console = Console(force_terminal=False, width=100)
    with console.capture() as captured:
        console.print(view.tree())

    assert not any(each in captured.get() for each in "\x1b\x07\x08\x9b\x7f\r")
