"""The answer without a language model: composed from the sentences of the steps, in the order of the request.

`compose` answers a request; `leaf_outputs` answers a caller's own plan. Questions about pages: page_answer.py; recalled
memories: recall_answer.py.
"""

import re
from collections.abc import Callable

import orjson

from reflection_worker import page_answer, recall_answer
from reflection_worker.answer_request import AnswerRequest
from services.journal.finished_steps import FinishedStep

# Their sentences are only a way to a later step's, which repeats the number.
_MEANS = frozenset({"calculate", "sleep", "noop"})


def compose(request: AnswerRequest) -> str:
    """Plain English: what each asked step found, then failures with their reason, then the plan's note."""
    needed = {name for step in request.steps for name in step.depends_on}
    parts = [_part(step, step.id in needed) for step in request.steps if step.status == "succeeded"]
    parts += [_failure(step) for step in request.steps if step.status == "failed"]
    parts += _skipped([step for step in request.steps if step.status in {"skipped", "cancelled"}])
    said = [part for part in parts if part]
    if request.note:
        said.append(request.note)
    if not said:
        return "There is nothing to report: no step gave a result."
    gap = "\n\n" if any("\n" in part for part in said) else " "
    return gap.join(dict.fromkeys(said))


def leaf_outputs(request: AnswerRequest) -> str:
    """The outputs of the steps that nothing depends on: the text of a single one, else compact JSON by step id."""
    needed = {name for step in request.steps for name in step.depends_on}
    leaves = [step for step in request.steps if step.id not in needed]
    outputs = {step.id: step.output for step in leaves if step.status == "succeeded"}
    failures = " ".join(_failure(step) for step in request.steps if step.status == "failed")
    if len(outputs) == 1:
        only = next(iter(outputs.values()))
        text = only.get("text") if isinstance(only, dict) else only
        shown = text if isinstance(text, str) and text else orjson.dumps(only).decode()
    else:
        shown = orjson.dumps(outputs).decode() if outputs else ""
    return " ".join(part for part in (shown, failures) if part) or "No step gave a result."


def _part(step: FinishedStep, is_needed: bool) -> str:
    special = _SPECIAL.get(step.tool)
    if special:
        return special(step)
    if is_needed and step.tool in _MEANS:
        return ""
    return _sentence(_text(step.output))


def _kept(step: FinishedStep) -> str:
    return f"I'll remember: {_sentence(str(step.arguments.get('text', '')))}"


_SPECIAL: dict[str, Callable[[FinishedStep], str]] = {
    "fetch_page": page_answer.of,
    "search_memory": recall_answer.of,
    "remember": _kept,
}


def _failure(step: FinishedStep) -> str:
    what = _what(step)
    return f"I couldn't do this: {what}. {_sentence(step.error or 'It failed for a reason that is not known')}"


def _skipped(steps: list[FinishedStep]) -> list[str]:
    if not steps:
        return []
    named = "; ".join(_what(step) for step in steps)
    return [f"So this was not done either: {named}."]


def _what(step: FinishedStep) -> str:
    if step.tool == "fetch_page":
        return f"read {step.arguments.get('url', 'the page')}"
    return (step.why or step.tool).rstrip(".?!")


def _text(output: object) -> str:
    if isinstance(output, dict) and isinstance(output.get("text"), str):
        return str(output["text"])
    return output if isinstance(output, str) else orjson.dumps(output).decode()


def _sentence(text: str) -> str:
    text = text.strip()
    if not text or text[-1] in '.!?…:)”"' or re.search(r"\n\s*[-*\d]", text):
        return text
    return f"{text}."
