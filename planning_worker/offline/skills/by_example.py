"""Tools that nobody here knows, found by the examples that they declare: a clause that is nearly one of them.

Conservative: most content words have to agree, and the tool may need one text or number at most.
"""

import re
from dataclasses import dataclass
from typing import Any

from planning_worker.offline import clauses
from planning_worker.offline.reading import Draft, Reading, Scene
from services.phrases import numbers, words
from services.tools.catalogue import ListedTool

THRESHOLD = 0.6
_KNOWN = frozenset(
    """calculate convert_units current_time time_difference date_difference find_date calendar_facts echo noop sleep
    fetch_page
    summarize search_memory remember think delegate""".split()
)
_QUOTED = re.compile(r"[“\"]([^”\"]+)[”\"]|(?:(?<=\s)|^)'([^']+)'")
_CODE = re.compile(r"\b(?=[\w-]*\d)[\w-]+\b|[\w.+-]+@[\w-]+\.[\w.]+|(?:https?://)\S+")


@dataclass(frozen=True)
class _Match:
    likeness: float
    tool: ListedTool
    arguments: dict[str, Any]


def read(text: str, scene: Scene) -> Reading | None:
    """A clause that is nearly one of the examples that another tool declares."""
    phrase = clauses.bare(text)
    found = [
        match
        for name, tool in scene.request.tools.items()
        if name not in _KNOWN and tool.permission != "deny"
        for example in tool.examples
        if (match := _match(phrase, example, tool))
    ]
    best = max(found, key=lambda match: match.likeness, default=None)
    if best is None or best.likeness < THRESHOLD:
        return None
    step = Draft(scene.step_id(), best.tool.name, best.arguments, phrase)
    return Reading("by_example", (step,))


def _match(phrase: str, example: str, tool: ListedTool) -> _Match | None:
    """How alike clause and example are but for the argument, which stands where the example has its own."""
    needed = _needed(tool)
    if needed is None:
        return None
    name, kind = needed
    theirs, ours = _fixed(example), _fixed(phrase)
    if not name:
        return _Match(_likeness(words.content(theirs), words.content(ours)), tool, {})
    value = _value(phrase, kind) if kind != "string" else _quoted(phrase)
    if value is None and kind == "string":
        value = _in_the_place_of(phrase, clauses.bare(example))
        ours = phrase.replace(str(value), " ") if value else ours
        theirs = _without_tail(clauses.bare(example), phrase, value)
    if value is None or not words.content(ours):
        return None
    return _Match(_likeness(words.content(theirs), words.content(ours)), tool, {name: value})


def _needed(tool: ListedTool) -> tuple[str, str] | None:
    """(name, JSON type) of the only required argument, ("", "") when none is; None when this tool asks for more."""
    required = tool.schema.get("required", [])
    if not required:
        return "", ""
    kind = str(tool.schema.get("properties", {}).get(required[0], {}).get("type", ""))
    return (required[0], kind) if len(required) == 1 and kind in {"string", "number", "integer"} else None


def _value(phrase: str, kind: str) -> float | int | None:
    found = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)", numbers.to_digits(phrase))
    if len(found) != 1:
        return None
    number = float(found[0])
    if kind == "integer":
        return int(number) if number.is_integer() else None
    return number


def _quoted(phrase: str) -> str | None:
    found = _QUOTED.search(phrase)
    if found:
        return str(found[1] or found[2])
    codes = _CODE.findall(phrase)
    return str(codes[0]).rstrip(".,?!") if len(codes) == 1 else None


def _in_the_place_of(phrase: str, example: str) -> str | None:
    """The words of `phrase` between the beginning and the end that it shares with `example`."""
    ours, theirs = phrase.split(), example.split()
    folded, other = [words.fold(word) for word in ours], [words.fold(word) for word in theirs]
    start = 0
    while start < min(len(ours), len(theirs)) and folded[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(ours), len(theirs)) - start and folded[-1 - end] == other[-1 - end]:
        end += 1
    middle = ours[start : len(ours) - end]
    return " ".join(middle).strip(" .,?!") or None if start + end >= 2 and 0 < len(middle) <= 6 else None


def _without_tail(example: str, phrase: str, value: Any) -> str:
    """The words that `example` shares with `phrase`, or all of it when no argument was found."""
    place = _in_the_place_of(example, phrase) if value else None
    return example.replace(place, " ") if place else example


def _fixed(text: str) -> str:
    return _CODE.sub(" ", _QUOTED.sub(" ", text))


def _likeness(theirs: set[str], ours: set[str]) -> float:
    """Dice's coefficient: 1 when both have the same content words."""
    return 2 * len(theirs & ours) / (len(theirs) + len(ours)) if theirs and ours else 0.0
