"""The answer that a model writes from the results of the steps. The prompt is `prompts/<PROMPT>.md`.

Called by the reflection worker when a model is configured.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from reflection_worker.answer_request import AnswerRequest, FinishedStep
from services import clock
from services.model import data_fence, provider
from services.model.provider import TextStream
from services.model.shapes import Message

PROMPT = "answer_v1"
RESULTS_BUDGET = 40_000  # characters, shared fairly among the steps
MEMORIES_BUDGET = 6_000
TURNS_BUDGET = 12_000
ARGUMENTS_BUDGET = 500


def stream(request: AnswerRequest) -> TextStream:
    """The answer, piece by piece; when it is through, the stream's `usage` and `model` say what it took.

    Raises, while iterated, what the provider raises.
    """
    return provider.stream(_messages(request))


def _messages(request: AnswerRequest) -> list[Message]:
    parts = [f"The time is {clock.to_wire(request.now)} ({request.now:%A})."]
    if request.memories:
        parts.append(data_fence.fenced("memories of this user, best first", request.memories, MEMORIES_BUDGET))
    if request.turns:
        parts.append(data_fence.conversation(request.turns, TURNS_BUDGET))
    if request.steps:
        parts.append(data_fence.fenced("results of the steps", _results(request.steps)))
    else:
        parts.append("No steps were run.")
    if request.note:
        parts.append(data_fence.fenced("the planner's note", request.note))
    parts.append(f"Answer this request:\n{request.request}")
    return [{"role": "system", "content": _prompt()}, {"role": "user", "content": "\n\n".join(parts)}]


def _results(steps: list[FinishedStep]) -> list[dict[str, Any]]:
    shares = _shares([len(_text(step.output)) for step in steps], RESULTS_BUDGET)
    return [_result(step, share) for step, share in zip(steps, shares, strict=True)]


def _result(step: FinishedStep, share: int) -> dict[str, Any]:
    told: dict[str, Any] = {"id": step.id, "tool": step.tool, "status": step.status}
    if step.why:
        told["why"] = step.why
    told["arguments"] = data_fence.shortened(_text(step.arguments), ARGUMENTS_BUDGET)
    if step.status == "succeeded":
        text = _text(step.output)
        told["output"] = step.output if len(text) <= share else data_fence.shortened(text, share)
    else:
        told["error"] = step.error or f"It was {step.status}."
    return told


def _shares(sizes: list[int], budget: int) -> list[int]:
    """How much of each output is shown: small ones whole, what they leave is shared by the large ones."""
    shares = [0] * len(sizes)
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    for place, index in enumerate(order):
        shares[index] = min(sizes[index], budget // (len(order) - place))
        budget -= shares[index]
    return shares


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


@lru_cache(maxsize=1)
def _prompt() -> str:
    return (Path(__file__).parent / "prompts" / f"{PROMPT}.md").read_text(encoding="utf-8")
