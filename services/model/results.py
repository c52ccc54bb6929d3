"""What came of a run's steps, as a prompt tells it."""

import json
from collections.abc import Sequence
from typing import Any

from services.journal.finished_steps import FinishedStep
from services.model import data_fence

ARGUMENTS_BUDGET = 500  # characters, of each step


def told(steps: Sequence[FinishedStep], budget: int) -> list[dict[str, Any]]:
    """Each step with its arguments and what came of it; all outputs together in about `budget` characters."""
    shares = _shares([len(_text(step.output)) for step in steps], budget)
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
