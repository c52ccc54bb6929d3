"""The last try before a refusal: known things (places, days, quantities) among words that add nothing else.

Wordings nobody foresaw are read here; safe because every word has to be a known thing, a cue or an empty word.
"""

import re
from collections.abc import Callable, Set

from planning_worker.offline import clauses
from planning_worker.offline.reading import Reading, Scene
from planning_worker.offline.skills import conversions, dates, times
from services.phrases import dates as days
from services.phrases import numbers, places, units, words

_EMPTY = frozenset(
    """what what's whats which is are was be it its it's the a an of in on at for me us i we you please tell give show
    check find out know how's hows rn got okay ok yeah do does could can would like currently current present
    exact right now there over that this how get got if and then so just actually exactly please both also still
    yet will have has out let today's going moment calculate compute work determine count tell number amount""".split()
)
_TIME = frozenset(
    ["time", "clock", "clocks", "hour", "local", "times", "date", "zone", "timezone", "say", "says", "look"]
)
_APART = frozenset(
    """diff differ difference gap apart or by us me time-difference further later earlier separate separates separating
    hours hour many much ahead behind between from to and than time zone zones clocks offset compared with
    versus vs""".split()
)
_GAP = frozenset(
    """difference differ diff time-difference gap apart separate separates ahead behind hours offset further later
    earlier""".split()
)
_SPAN = frozenset(
    """days day weeks week months month years year many long much until till til untill before to away off left remain
    remaining remains more between from since ago passed gone elapsed by been go wait there're next""".split()
)
_DAY = frozenset(["day", "weekday", "date", "week", "fall", "falls", "fell", "land", "lands", "happen", "when"])
_CONVERT = frozenset(
    """convert converted conversion change turn express equivalent equal equals same as into to in many much make makes
    up come comes measure measured weigh weighs worth long far tall heavy when""".split()
)


def read(text: str, scene: Scene) -> Reading | None:
    """A clause of known things and empty words only."""
    phrase = numbers.to_digits(clauses.bare(text))
    tokens = re.findall(r"[^\s,;?!]+", phrase)
    if not 2 <= len(tokens) <= 30 or clauses.asks_again(phrase):
        return None
    return _time(tokens, scene) or _days(tokens, scene) or _quantity(tokens, scene)


def _time(tokens: list[str], scene: Scene) -> Reading | None:
    named, rest = picked(tokens, lambda text: places.find(text) is not None, _EMPTY | _TIME | _APART)
    cues = set(rest)
    if len(named) == 2 and cues & _GAP:
        return times.apart(named[0], named[1], "", scene) if cues <= _EMPTY | _APART else None
    if named and cues & {"time", "clock", "clocks", "hour", "times"} and cues <= _EMPTY | _TIME:
        return times.now_in(named, scene)
    return None


def _days(tokens: list[str], scene: Scene) -> Reading | None:
    named, rest = picked(tokens, lambda text: days.find(text, scene.today) is not None, _EMPTY | _SPAN | _DAY)
    cues = set(rest)
    unit = next(
        (word.rstrip("s") + "s" for word in rest if word.rstrip("s") in {"day", "week", "month", "year"}), "days"
    )
    if cues <= _EMPTY | _SPAN:
        if len(named) == 2 and cues & {"between", "from", "to", "until", "till"}:
            return dates.count(named[0], named[1], unit, scene, {"form": "between", "start": named[0]})
        if len(named) == 1 and cues & {"since", "ago", "passed", "elapsed", "gone"}:
            return dates.count(named[0], "today", unit, scene, {"form": "since"})
        if len(named) == 1 and cues & {"until", "till", "til", "untill", "before", "away", "off", "left", "remain"}:
            return dates.count("today", named[0], unit, scene, {"form": "until"})
    if "week" in cues and "of the week" not in " ".join(tokens).lower():
        return None  # "a week on Friday" is another day
    if len(named) == 1 and cues & {"day", "weekday", "date"} and cues <= _EMPTY | _DAY:
        return dates.find(named[0], "", scene)
    return None


def _quantity(tokens: list[str], scene: Scene) -> Reading | None:
    """One amount with its unit and one other unit."""
    amounts, rest = picked(tokens, lambda text: conversions.quantity(text) is not None, _EMPTY)
    if len(amounts) != 1:
        return None
    targets, rest = picked(rest, lambda text: units.find(text) is not None, _EMPTY | _CONVERT)
    amount = conversions.quantity(amounts[0])
    if amount is None or len(targets) != 1 or not set(rest) <= _EMPTY | _CONVERT or not set(rest) & (_CONVERT | {"in"}):
        return None
    if not units.same_kind(amount.unit, targets[0]):
        return None
    return conversions.convert(amount.value, amount.unit, targets[0], scene)


def picked(tokens: list[str], known: Callable[[str], bool], skip: Set[str]) -> tuple[list[str], list[str]]:
    """The longest runs of words (at most six) that are `known`, and the other words, folded."""
    found: list[str] = []
    rest: list[str] = []
    at = 0
    while at < len(tokens):
        size = longest(tokens, at, known, skip)
        if size:
            found.append(" ".join(tokens[at : at + size]))
        else:
            rest.append(words.fold(tokens[at]).strip(".:-–—"))
        at += max(size, 1)
    return found, [word for word in rest if word]


def longest(tokens: list[str], at: int, known: Callable[[str], bool], skip: Set[str]) -> int:
    """How many words (at most nine) from `at` on are together something `known`; 0 when none are."""
    if words.fold(tokens[at]) in skip | {"and"}:
        return 0
    sizes = range(min(9, len(tokens) - at), 0, -1)
    return next((size for size in sizes if known(" ".join(tokens[at : at + size]))), 0)
