"""A run as its events tell it so far, and how a terminal shows it: a live tree, or plain lines."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

MARKS = {
    "pending": ("○", "dim"),
    "running": ("●", "cyan"),
    "waiting": ("◷", "yellow"),
    "succeeded": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("–", "dim"),
    "cancelled": ("–", "dim"),
    "in_doubt": ("?", "magenta"),
    "reused": ("✓", "dim"),
}
PHASES = {"run.created": "planning", "plan.created": "working", "answer.delta": "answering"}
# everything a terminal could obey: C0 and C1 controls but for newline and tab
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
LONGEST_LINE = 160


def harmless(text: str) -> str:
    """`text` without characters that a terminal would act upon: it may come from a model or a web page."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


@dataclass
class StepView:
    """A step as far as the events have told."""

    tool: str
    why: str | None = None
    status: str = "pending"
    started: str | None = None
    finished: str | None = None
    note: str = ""


@dataclass
class RunView:
    """Fold events into it with `take`; `status` is the end of the run's terminal event, or its phase until then."""

    steps: dict[str, StepView] = field(default_factory=dict)
    status: str = "queued"
    answer: str = ""
    error: str | None = None
    _answer_attempt: int = 0

    def take(self, event: dict[str, Any]) -> None:
        """Let one event change the picture."""
        name, data = event["name"], event["data"]
        self.status = PHASES.get(name, self.status)
        if name == "plan.created":
            for step in data["steps"]:
                self.steps.setdefault(step["id"], StepView(step["tool"], step.get("why")))
        elif name == "plan.step_added":
            self.steps[data["id"]] = StepView(data["tool"], data.get("why"))
        elif name.startswith("step."):
            self._take_step(name.removeprefix("step."), event)
        elif name == "answer.delta":
            if data.get("attempt", 1) > self._answer_attempt:
                self.answer, self._answer_attempt = "", data.get("attempt", 1)
            self.answer += data["text"]
        elif name in {"run.succeeded", "run.failed", "run.cancelled"}:
            self.status = name.removeprefix("run.")
            self.answer = data.get("answer") or self.answer
            self.error = (data.get("error") or {}).get("detail")

    def _take_step(self, what: str, event: dict[str, Any]) -> None:
        data = event["data"]
        step = self.steps.setdefault(event["stepId"], StepView(data.get("tool", "?")))
        step.note = _note(what, data) or step.note
        if what == "started":
            step.status, step.started, step.finished = "running", step.started or event["at"], None
        elif what in {"waiting", "retrying"}:
            step.status = "waiting"
        elif what == "reopened":
            step.status, step.finished = "pending", None
        elif what != "progress":
            step.status, step.finished = what, event["at"]

    def tree(self) -> RenderableType:
        """The picture as a tree of steps with the answer below it."""
        tree = Tree(Text(self.status, style="bold"))
        for step_id, step in self.steps.items():
            mark, style = MARKS.get(step.status, ("?", ""))
            line = Text.assemble((f"{mark} ", style), (harmless(step_id), "bold"), " ", harmless(step.tool))
            if step.started and step.finished:
                line.append(f"  {_seconds(step.started, step.finished):.2f} s", style="dim")
            if step.note:
                line.append(f"  {step.note}", style="red" if step.status == "failed" else "dim")
            line.truncate(LONGEST_LINE, overflow="ellipsis")
            tree.add(line)
        return Group(tree, Text(harmless(self.answer))) if self.answer and self.status == "answering" else tree


def line(event: dict[str, Any]) -> str | None:
    """One plain line for an event; None for those that a log need not show."""
    name, data = event["name"], event["data"]
    if name == "answer.delta":
        return None
    what = _note(name.partition(".")[2], data) if name.startswith("step.") else ""
    if name == "plan.created":
        what = ", ".join(f"{step['id']} {step['tool']}" for step in data["steps"]) or "no step needed"
    if name == "plan.step_added":
        what = data["tool"]
    who = f" {event['stepId']}" if event["stepId"] else ""
    return harmless(f"{event['at'][11:23]} {event['seq']:>4} {name}{who}{'  ' + what if what else ''}")


def _note(what: str, data: dict[str, Any]) -> str:
    notes = {
        "succeeded": lambda: _text_of(data.get("output")),
        "failed": lambda: _text_of((data.get("error") or {}).get("detail")),
        "retrying": lambda: "again: " + _text_of((data.get("error") or {}).get("detail")),
        "waiting": lambda: f"until {data.get('until')}",
        "progress": lambda: _text_of(data.get("text")),
        "in_doubt": lambda: _text_of((data.get("error") or {}).get("detail")),
        "reused": lambda: _text_of(data.get("output")),
        "reopened": lambda: _text_of(data.get("how")),
        "skipped": lambda: _text_of(data.get("because")),
    }
    return notes[what]() if what in notes else ""


def _text_of(value: Any) -> str:
    """What people read of an output: its `text`, if it has one."""
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        value = value["text"]
    text = value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()
    text = harmless(" ".join(text.split()))
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
