"""Reads the steps of a plan while a model is still writing it."""

import json
import re
from collections.abc import Iterator
from typing import Any

_STEPS = re.compile(r'"steps"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
_THINKING = re.compile(r"\s*<think>")
_THOUGHT = re.compile(r"</think>")


class StepReader:
    """Feed it the pieces of the reply; it gives every step (any JSON value) as soon as its last character is there.

    It gives nothing of a reply that is no plan: whoever reads the whole reply afterwards says what is wrong with it.
    """

    def __init__(self) -> None:
        self.text = ""
        self._at: int | None = None  # where the next step begins, once the list of steps has begun
        self._decoder = json.JSONDecoder()

    def feed(self, piece: str) -> Iterator[Any]:
        """The steps that this piece completes."""
        self.text += piece
        if self._at is None:
            self._at = self._beginning()
        while self._at is not None:
            begins = _match_end(_BETWEEN, self.text, self._at)
            try:
                step, self._at = self._decoder.raw_decode(self.text, begins)
            except json.JSONDecodeError:
                return  # its end has not come, or the list is over
            yield step

    def _beginning(self) -> int | None:
        after = 0
        if _THINKING.match(self.text):
            thought = _THOUGHT.search(self.text)
            if thought is None:
                return None
            after = thought.end()
        found = _STEPS.search(self.text, after)
        return found.end() if found else None


def _match_end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
