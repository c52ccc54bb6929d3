"""Runs a labelled request as the offline brain would: plan, check by the plan rules, execute in process, compose.

The pure tools are the real ones. Pages and memories come from the case, through tools of the same contract.
"""

import json
import pkgutil
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import Any

import time_machine

from execution_worker import tools as built_in
from planning_worker import offline
from planning_worker.plan_request import PlanRequest, Turn
from reflection_worker import offline_answer
from reflection_worker.answer_request import AnswerRequest
from services.errors import Failed
from services.journal import plan_rules, references
from services.journal.finished_steps import FinishedStep
from services.journal.plan_shape import Plan
from services.phrases import words
from services.tools import catalogue
from services.tools.contract import Tool, ToolContext, tool

HERE = Path(__file__).parent
NOW = datetime(2026, 5, 20, 14, 30, tzinfo=UTC)  # a Wednesday
PAGES = json.loads((HERE / "pages.json").read_text(encoding="utf-8"))
PURE = (
    "calculate",
    "convert_units",
    "current_time",
    "time_difference",
    "date_difference",
    "find_date",
    "calendar_facts",
    "echo",
    "sleep",
)


_CONTEXT = ToolContext("run", "s1", 1, "tenant", "user", "conversation", "key", NOW, waited=True)


@dataclass(frozen=True)
class Played:
    plan: Plan
    answer: str


@dataclass
class Case:
    """One line of a labelled file.

    has and lacks: texts in the answer, without regard to case and separators of thousands; `a|b` is either.
    tools: one for each step in `practice` and `held_out`; with `loose` only which ones, and `*` is any.
    """

    family: str
    request: str
    tools: list[str]
    turns: list[list[str]] = field(default_factory=list)
    memories: list[str] = field(default_factory=list)
    arguments: list[dict[str, Any]] = field(default_factory=list)
    has: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)
    parallel: bool = False
    declined: bool = False
    loose: bool = False


def cases(file: str) -> list[Case]:
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    return [Case(**json.loads(line)) for line in lines if line.strip()]


@time_machine.travel(NOW, tick=False)
def play(case: Case, extra: dict[str, Tool] | None = None) -> Played:
    """Plan, check, execute and compose one case."""
    available = {**_built_ins(), **_stand_ins(case), **(extra or {})}
    listed = {name: catalogue.listing("built-in", one) for name, one in available.items()}
    turns = [Turn(role, text) for role, text in case.turns]
    plan = offline.plan(PlanRequest(case.request, NOW, listed, turns, case.memories))
    plan_rules.check(plan, listed, max_steps=500)
    steps = _executed(plan, available)
    answer = offline_answer.compose(AnswerRequest(case.request, NOW, steps, plan.note))
    return Played(plan, answer)


def faults(case: Case) -> list[str]:
    """What is wrong with how `case` is played; nothing when it is right."""
    played = play(case)
    steps, answer = played.plan.steps, _plain(played.answer)
    found = []
    if not _fit([step.tool for step in steps], case):
        found.append(f"tools {[step.tool for step in steps]}, not {case.tools}")
    if case.parallel and any(step.dependencies for step in steps):
        found.append("steps wait for each other")
    for wanted in case.arguments:
        arguments = [step.arguments for step in steps if step.tool == wanted["tool"]]
        rest = {key: value for key, value in wanted.items() if key != "tool"}
        if not any(rest.items() <= given.items() for given in arguments):
            found.append(f"no {wanted['tool']} with {rest}: {arguments}")
    if case.declined != ("OPENAI_API_KEY" in played.answer):
        found.append("not declined" if case.declined else "declined")
    found += [f"lacks “{text}”" for text in case.has if not any(one in answer for one in _plain(text).split("|"))]
    found += [f"holds “{text}”" for text in case.lacks if _plain(text) in answer]
    return found and [*found, f"answer: {played.answer}"]


def _fit(tools: list[str], case: Case) -> bool:
    if case.loose:
        return "*" in case.tools or set(tools) == set(case.tools)
    return sorted(tools) == sorted(case.tools)


def _plain(text: str) -> str:
    return re.sub(r"(?<=\d),(?=\d{3})", "", text.lower())


def _executed(plan: Plan, available: dict[str, Tool]) -> list[FinishedStep]:
    outputs: dict[str, Any] = {}
    done: dict[str, FinishedStep] = {}
    by_id = {step.id: step for step in plan.steps}
    for name in TopologicalSorter({step.id: step.dependencies for step in plan.steps}).static_order():
        step = by_id[name]
        status, output, error, arguments = "succeeded", None, None, step.arguments
        if any(done[before].status != "succeeded" for before in step.dependencies):
            status = "skipped"
        else:
            try:
                arguments = references.resolve(step.arguments, outputs)
                checked = available[step.tool].arguments(**arguments)
                tool_ = available[step.tool]
                context = (_CONTEXT,) if tool_.takes_context else ()
                output = outputs[name] = tool_.function(*context, **dict(checked))
            except Failed as failed:
                status, error = "failed", failed.detail
        done[name] = FinishedStep(
            name, step.tool, step.why, arguments, status, output, error, depends_on=step.dependencies
        )
    return [done[step.id] for step in plan.steps]


def _built_ins() -> dict[str, Tool]:
    found = {}
    for module in pkgutil.iter_modules(built_in.__path__):
        if module.name in PURE:
            one = getattr(import_module(f"{built_in.__name__}.{module.name}"), module.name)
            found[one.name] = one
    return found


def _stand_ins(case: Case) -> dict[str, Tool]:
    @tool(effect="pure")
    def fetch_page(url: str) -> dict[str, Any]:
        """A page of the test's own small web."""
        if url not in PAGES:
            raise Failed(f"{url} does not answer.")
        return dict(PAGES[url])

    @tool(effect="pure")
    def summarize(text: str, sentences: int = 3) -> dict[str, Any]:
        """The first sentences."""
        return {"text": " ".join(words.sentences(text)[:sentences])}

    @tool(effect="idempotent")
    def remember(text: str) -> dict[str, Any]:
        """Keeps the text for later steps of the same case."""
        case.memories.append(text)
        return {"id": "m1", "text": text}

    @tool(effect="pure")
    def search_memory(query: str, k: int = 5) -> dict[str, Any]:
        """All memories of the case, the closest in words first."""
        ranked = sorted(case.memories, key=lambda text: -len(words.content(query) & words.content(text)))
        items = [
            {"id": str(n), "text": text, "score": 0.5, "kind": "fact", "at": None} for n, text in enumerate(ranked)
        ]
        return {"items": items[:k], "text": " ".join(ranked[:k])}

    return {one.name: one for one in (fetch_page, summarize, remember, search_memory)}
