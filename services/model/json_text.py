"""JSON out of what a model wrote: alone, in a code fence, or with words around it."""

import json
import re
from typing import Any

_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_THINKING = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)


def parse(text: str) -> Any:
    """The JSON value in `text`. Raises ValueError with a sentence that a model can act on."""
    said = _THINKING.sub("", text).strip()
    if not said:
        raise ValueError("The reply is empty; JSON was expected.")
    try:
        return json.loads(said)
    except json.JSONDecodeError as error:
        for candidate in [*_FENCE.findall(said), _outermost(said)]:
            try:
                return json.loads(candidate)
            except json.JSONDecodeError:
                continue
        raise ValueError(f"The reply is not valid JSON: {error}.") from error


def _outermost(text: str) -> str:
    return text[text.find("{") : text.rfind("}") + 1]
