"""A question about what was just told: "My oven says 180 Celsius, what's that in Fahrenheit?".

The quantity, day or time of what was told takes the place of "that", and the question is read again.
"""

import re
from collections.abc import Iterator

from planning_worker.offline import clauses
from planning_worker.offline.reading import Reading, Scene
from planning_worker.offline.skills import conversions, dates, elsewhere, loosely, statements, times
from services.phrases import clock_times, numbers, places
from services.phrases import dates as days

_PARTS = re.compile(r"\s*[.?!;:]+\s+|\s*,\s+|\s+[–—-]+\s+|\s+(?:and|so|but)\s+")
_ASKS = re.compile(
    r"(?:what|who|when|where|which|why|how|is|are|does|do|did|can|could|will|would|should|please|tell|give|convert|"
    r"calculate|compute|read|open|fetch|remember|note|add|multiply|divide|subtract)\b",
    re.IGNORECASE,
)
_IT = re.compile(r"\b(?:that|it|this|those|these|then|they)\b", re.IGNORECASE)
_MEASURE = re.compile(
    r"^(?:how (?:much|many|fast|far|long|tall|heavy|hot|big|high|deep|wide) ?(?:is|are)? ?)(?=in\b)", re.I
)
_MOST_TOLD = 160  # characters


def read(text: str, scene: Scene) -> Reading | None:
    """A clause that first tells and then asks, or one that asks about what the user's last statement told."""
    for told, question in _told(text, scene):
        bare = clauses.bare(question)
        if len(told) > _MOST_TOLD or _ASKS.match(clauses.bare(told)) or not bare:
            continue
        for reading in _readings(numbers.to_digits(told), bare, scene):
            return reading
    return None


def _told(text: str, scene: Scene) -> Iterator[tuple[str, str]]:
    """What was told and what is asked of it, at every place where the clause may be parted."""
    for found in reversed(list(_PARTS.finditer(text))):
        if found.end() < len(text):
            yield text[: found.start()], text[found.end() :]
    last = [turn.text for turn in scene.request.turns if turn.role == "user"][-1:]
    if not scene.before and last and statements.states(clauses.bare(last[0])):
        yield last[0], text


def _readings(told: str, question: str, scene: Scene) -> Iterator[Reading]:
    """The readings of the question with what was told in the place of "that"."""
    tokens = re.findall(r"[^\s,;?!]+", told)
    amounts, _ = loosely.picked(tokens, lambda run: conversions.quantity(run) is not None, frozenset())
    named, _ = loosely.picked(tokens, lambda run: days.find(run.strip("."), scene.today) is not None, frozenset())
    for kind, found in (("conversions", amounts), ("dates", named), ("times", _clock(told))):
        if len(found) != 1:
            continue
        for asked in _asked(found[0].strip("."), question, kind):
            for skill in {"conversions": [conversions], "dates": [dates], "times": [elsewhere]}[kind]:
                reading = skill.read(asked, scene)
                if reading and reading.steps:
                    yield reading
    where, _ = loosely.picked(
        tokens, lambda run: places.find(run.strip(".")) is not None and run[:1].isupper(), frozenset()
    )
    if len(where) == 1 and re.search(r"\bthere\b", question):
        asked = re.sub(r"\b(?:over |out |down )?there\b", f"in {where[0]}", question, count=1)
        reading = times.read(asked, scene)
        if reading and reading.steps:
            yield reading


def _asked(thing: str, question: str, kind: str) -> Iterator[str]:
    if _IT.search(question):
        yield _IT.sub(lambda _: thing, question, count=1)
    elif kind in {"conversions", "times"}:
        yield f"{thing} {_MEASURE.sub('', question)}"
    if kind == "times":
        yield f"{thing}, {question}"
    if kind == "dates" and re.match(r"how (?:many|long)\b", question, re.IGNORECASE):
        yield f"{question} until {thing}"


def _clock(told: str) -> list[str]:
    """The time of day in what was told, with the place beside it."""
    found = clock_times.search(told)
    if not found:
        return []
    after = re.findall(r"[^\s,;?!]+", told[found[1] :])
    skip = 1 if after[:1] and after[0].lower() in {"in", "at"} else 0
    size = (
        loosely.longest(after, skip, lambda run: places.find(run.strip(".")) is not None, frozenset())
        if len(after) > skip
        else 0
    )
    if not size:
        return []
    return [f"{told[found[0] : found[1]].strip()} in {' '.join(after[skip : skip + size])}"]
