"""A time of day in one place as the time in another: one time, two places, and words that add nothing."""

import re

from planning_worker.offline import clauses
from planning_worker.offline.reading import Reading, Scene
from planning_worker.offline.skills import loosely, times
from services.phrases import clock_times, numbers, places, words

_TIME = "@"
_PLAIN = frozenset(
    """@ -> => → with their was were i phone ring dial calling when if is it's its it at in on the a an and so then
    what what's whats time would will be to from into as for of that there over here are am we i my our your do
    does say suppose assuming given convert translate change equivalent equals equal same meeting call flight
    webinar event show game match interview lecture class conference standup stand-up launch deadline stream
    party concert session starts start starting begins begin beginning happens held scheduled set planned takes
    place lands landing land leaves arrives local clock clocks hour day today tomorrow people friend friends
    colleague colleagues team client boss sister brother mum mom dad office someone mean means corresponds now
    this which have has i'm how about until daily weekly monday tuesday wednesday thursday friday saturday
    sunday morning afternoon evening please tell me know by only just let us they he she us join dial video zoom
    kickoff kick-off every not""".split()
)
# Between a time and its place nothing but these may stand.
_JOINS = frozenset(
    [
        "in",
        "at",
        "over",
        "here",
        "time",
        "local",
        "the",
        "sharp",
        "today",
        "tomorrow",
        "is",
        "it's",
        "it",
        "their",
        "from",
    ]
)


def read(text: str, scene: Scene) -> Reading | None:
    """One time of day and two places; the place that stands beside the time is where it is that time."""
    phrase = numbers.to_digits(clauses.bare(text))
    found = clock_times.search(phrase)
    if not found or len(phrase) > 250 or clauses.urls(phrase):
        return None
    start, end, _ = found
    marked = f"{phrase[:start]} {_TIME} {phrase[end:]}"
    items = _items(re.findall(r"[^\s,;?!()]+(?:\.[^\s,;?!()]+)*", marked))
    named = [item for item, is_place in items if is_place]
    loose = {item for item, is_place in items if not is_place} - _PLAIN
    if loose or len(named) != 2 or "not" in phrase.lower().split():
        return None
    source = _beside([item for item, _ in items], named)
    if source is None:
        return None
    target = next(place for place in reversed(named) if place != source or named[0] == named[1])
    return times.apart(source, target, phrase[start:end].strip(), scene)


def _items(tokens: list[str]) -> list[tuple[str, bool]]:
    """The words in their order, runs that name a place as one and marked."""
    items: list[tuple[str, bool]] = []
    at = 0
    while at < len(tokens):
        size = loosely.longest(tokens, at, lambda text: places.find(text.rstrip(".:")) is not None, _PLAIN | {_TIME})
        run = " ".join(tokens[at : at + max(size, 1)]).strip(".:")
        if run.strip("-–—"):
            items.append((run, True) if size else (words.fold(run), False))
        at += max(size, 1)
    return items


def _beside(items: list[str], named: list[str]) -> str | None:
    """The place right after the time, or else right before it."""
    at = items.index(_TIME)
    after = _first(items[at + 1 :], named)
    if after and not {"to", "into", "as"} & set(items[at + 1 : items.index(after, at)]):
        return after
    before = _first(items[:at][::-1], named)
    return before or after


def _first(items: list[str], named: list[str]) -> str | None:
    for item in items:
        if item in named:
            return item
        if item not in _JOINS:
            return None
    return None
