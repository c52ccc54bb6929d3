"""Waiting and echoing: "wait 2 seconds", "echo “hello”"."""

import re

from planning_worker.offline import clauses
from planning_worker.offline.reading import Draft, Reading, Scene
from services.phrases import numbers

_WAIT = re.compile(
    r"(?:wait|sleep|pause|hold on)(?: for)? (\d+(?:\.\d+)?|an?|half a) ?"
    r"(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?)",
    re.IGNORECASE,
)
_ECHO = re.compile(r"(?:echo|repeat(?: after me)?|say back)[:,]? (?P<text>.+)", re.IGNORECASE | re.DOTALL)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def read(text: str, scene: Scene) -> Reading | None:
    """A wait or an echo."""
    phrase = clauses.bare(text)
    wait = _WAIT.fullmatch(numbers.to_digits(phrase))
    if wait:
        amount = {"a": 1.0, "an": 1.0, "half a": 0.5}.get(wait[1].lower()) or float(wait[1])
        arguments = {"seconds": amount * _unit_seconds(wait[2].lower())}
        return Reading("controls", (Draft(scene.step_id(), "sleep", arguments, phrase),))
    echo = _ECHO.fullmatch(phrase)
    if echo:
        value = echo["text"].strip().strip("“”\"'‘’")
        return Reading("controls", (Draft(scene.step_id(), "echo", {"value": value}, phrase),))
    return None


def _unit_seconds(unit: str) -> float:
    if unit.startswith(("ms", "milli")):
        return 0.001
    return _SECONDS[unit[0]]
