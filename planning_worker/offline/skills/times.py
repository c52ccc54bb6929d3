"""The time in places, the difference between two clocks, and a time of day elsewhere."""

# One wording a line reads better than wrapped patterns.

import re

from planning_worker.offline import clauses
from planning_worker.offline.reading import Draft, Reading, Scene
from services.phrases import places

_P = r"(?P<place>[^?!;]+?)"
_A, _B = r"(?P<a>[^?!;]+?)", r"(?P<b>[^?!;]+?)"
_IS = r"(?:'s|’s| is| was)?"
_NOW = r"(?: (?:right )?now| rn| at the moment| currently| at present| today)?"
_IN = r"(?:over there |over |out |back |there )?(?:in|at|for) (?:the city of )?"
_TIME = r"(?:the )?(?:current |local |exact |present )*time"

# Questions that can only mean the clock: here even an unknown place goes to the tool, which says that it is unknown.
_SURE = clauses.wordings(
    [
        rf"what(?:'s)? time (?:is it|it is|do they have|have they got|would it be)(?: right)?{_NOW},? {_IN}{_P}{_NOW}",
        rf"what{_IS} {_TIME}(?: is it| it is| is)?{_NOW},? {_IN}{_P}{_NOW}",
        rf"what {_TIME} is{_NOW},? {_IN}{_P}{_NOW}",
        rf"what{_IS} the time,? {_IN}{_P}{_NOW}",
        rf"what time it (?:currently |now |presently )?is{_NOW},? {_IN}{_P}{_NOW}",
        rf"what time (?:currently |now )?is it (?:currently |now |presently )?{_IN}{_P}{_NOW}",
    ]
)
# Wordings that mean the clock only if a known place follows.
_LIKELY = clauses.wordings(
    [
        rf"(?:check |look up )?(?:what )?{_TIME}(?: is| it is| zone)?{_NOW},? {_IN}{_P}{_NOW}",
        rf"(?:what{_IS} )?(?:the )?(?:current |local )?(?:time and date|date and time) {_IN}{_P}{_NOW}",
        rf"(?:what{_IS} )?(?:the )?(?:current |local )?{_P}(?:'s|s')? (?:local |current )?time{_NOW}",
        rf"how (?:late|early) is it{_NOW},? {_IN}{_P}{_NOW}",
        rf"what{_IS} (?:the )?(?:current |local )?(?:date and time|time and date|day and time)(?: is it| it "
        rf"is)?{_NOW} {_IN}{_P}{_NOW}",
        rf"what{_IS} the (?:current )?hour{_NOW} {_IN}{_P}{_NOW}",
        rf"(?:what{_IS} )?(?:the )?(?:current )?(?:utc|gmt|time ?zone)(?: offset)? (?:of|for|in) {_P}{_NOW}",
        rf"(?:what|which) time ?zone (?:is|are|does) {_P}(?: in| on| using| use| have| follow)?",
        rf"what (?:hour|o'clock) is it{_NOW},? {_IN}{_P}{_NOW}",
        rf"is it (?:day|night|morning|evening|late|early|dark|daytime|nighttime|night time|afternoon)[a-z "
        rf"]*? in {_P}{_NOW}",
        rf"what do(?:es)? (?:the )?clocks? (?:say|show|read){_NOW} in {_P}{_NOW}",
    ]
)
_DAY_NAMES = "today|tomorrow|yesterday|monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_LIKELY += clauses.wordings(
    [
        rf"is it (?:already |still |yet )?(?:{_DAY_NAMES}|the next day|past midnight|[a-z]+ time|night-?time|daytime|"
        rf"(?:the )?(?:weekend|middle of the night))(?: already| yet| still)?,? {_IN}{_P}{_NOW}",
        rf"what{_IS} (?:the |today's )?(?:current )?(?:date|day|day of the week|weekday)(?: of the week)?"
        rf"(?: today| is it| is it today| it is| is)*{_NOW},? {_IN}{_P}{_NOW}",
        rf"(?:the )?(?:date|day|today's date|date today){_NOW},? {_IN}{_P}{_NOW}",
    ]
)
_THERE = clauses.wordings(
    [
        rf"what(?:'s)? (?:the )?time (?:is it|it is|is|would it be)?{_NOW} ?(?:over |out |down |up )?there{_NOW}",
        rf"what{_IS} (?:the )?(?:{_TIME}|local time){_NOW} ?(?:is it )?(?:over )?there{_NOW}",
        rf"(?:the )?(?:current |local )?time (?:over )?there{_NOW}",
    ]
)
_HERE = clauses.wordings(
    [
        rf"what(?:'s)? time (?:is it|it is|do you have){_NOW}",
        rf"what{_IS} {_TIME}(?: is it| is)?{_NOW}",
        rf"{_TIME}{_NOW}",
    ]
)
_ALSO = clauses.wordings(
    [rf"(?:(?:and|or|what about|how about|same for|the same for)\s+)?(?:also )?(?:{_IN})?{_P}(?: too| as well)?{_NOW}"]
)
_BETWEEN = clauses.wordings(
    [
        rf"(?:what{_IS} )?(?:the )?(?:time|hours?|time ?zone|clock)[ -]?(?:zone )?(?:difference|gap|offset) "
        rf"(?:between|from|of) {_A} (?:and|to|with|vs\.?) {_B}{_NOW}",
        rf"(?:what{_IS} )?(?:the )?difference (?:in (?:time|hours|clock time)|of time) between {_A} and {_B}{_NOW}",
        rf"(?:what{_IS} )?(?:the )?{_A}[ -](?:to[ -]|and |vs\.? |/ ?){_B} time(?: zone)? difference",
        rf"how many hours(?: of (?:time )?difference)?(?: are| is)?(?: there)?(?: it)? between {_A} and {_B}",
        rf"how many hours apart are {_A} and {_B}",
        rf"how far apart (?:in time )?are (?:the clocks (?:in|of) )?{_A} and {_B}(?: in time)?",
    ]
)
_APART_FROM_IT = rf"what{_IS} the (?:time )?(?:difference|gap) (?:with|to|from|between (?:it|there) and) {_B}"
# {a} ahead of {b}: asked from b to a
_AHEAD = clauses.wordings(
    [
        rf"(?:by )?how (?:many hours|far|much)(?: time)? (?:ahead|behind|in front)?(?: of (?:us|me))?(?:is|"
        rf"are) {_A} (?:ahead of|behind|before|after|from|in front of) {_B}{_NOW}",
        rf"how (?:many hours|far|much) (?:ahead|behind) (?:is|are) {_A}(?: of| to| from| compared to| than)? {_B}",
        rf"how (?:many hours|far|much) (?:ahead|behind)(?: of)? {_B} is {_A}",
        rf"is {_A} (?:ahead of|behind)(?: or (?:ahead of|behind))? {_B}(?: in time)?(?:,? (?:and )?(?:by "
        rf")?how (?:many hours|much|far))?",
    ]
)


def read(text: str, scene: Scene) -> Reading | None:
    """The time now somewhere, or how far apart two clocks are."""
    phrase = clauses.bare(text)
    return _difference(phrase, scene) or _there(phrase, scene) or _now(phrase, scene) or _followed(phrase, scene)


def _now(phrase: str, scene: Scene) -> Reading | None:
    for pattern in [*_SURE, *_LIKELY]:
        found = pattern.fullmatch(phrase)
        if found and (named := _listed(found["place"], sure=pattern in _SURE)):
            return now_in(named, scene)
    if any(pattern.fullmatch(phrase) for pattern in _HERE):
        return now_in(["UTC"], scene)
    return None


def _followed(phrase: str, scene: Scene) -> Reading | None:
    """ "And in Paris?" after a question about the time somewhere."""
    if not scene.last or scene.last.skill != "times":
        return None
    gap = re.fullmatch(_APART_FROM_IT, phrase, re.IGNORECASE)
    if gap and places.find(gap["b"]) and scene.last.topic.get("places"):
        return apart(str(scene.last.topic["places"][-1]), gap["b"], "", scene)
    for pattern in _ALSO:
        found = pattern.fullmatch(phrase)
        named = _listed(found["place"], sure=False) if found else None
        if not named:
            continue
        topic = scene.last.topic
        if "from" not in topic:
            return now_in(named, scene)
        return apart(str(topic["from"]), named[0], str(topic.get("at", "")), scene)
    return None


def _there(phrase: str, scene: Scene) -> Reading | None:
    """ "What time is it there?": in the place named last before, in this request or the turns before it."""
    here = re.sub(r"\bhere\b", "there", phrase)
    if here != phrase and not re.search(
        r"\b(?:i'm|i am|i live|we're|we are|we live|based|staying|located)\b", scene.said, re.I
    ):
        return None
    if not any(pattern.fullmatch(here) for pattern in _THERE):
        return None
    told = [turn.text for turn in scene.request.turns if turn.role == "user"]
    for text in [scene.said, *reversed(told[-4:])]:
        named = re.findall(r"(?:\b(?:in|to|from|at|for|of|near)|^)\s+((?:[\w.'-]+ ?){1,4})", text)
        for words_after in reversed(named):
            tokens = words_after.split()
            for size in range(len(tokens), 0, -1):
                if places.find(" ".join(tokens[:size])):
                    return now_in([" ".join(tokens[:size])], scene)
    return None


def _difference(phrase: str, scene: Scene) -> Reading | None:
    for pattern in _BETWEEN:
        found = pattern.fullmatch(phrase)
        if found and places.find(found["a"]) and places.find(found["b"]):
            return apart(found["a"], found["b"], "", scene)
    for pattern in _AHEAD:
        found = pattern.fullmatch(phrase)
        if found and places.find(found["a"]) and places.find(found["b"]):
            return apart(found["b"], found["a"], "", scene)
    return None


def now_in(named: list[str], scene: Scene) -> Reading:
    """The time in each of the named places."""
    steps = tuple(
        Draft(scene.step_id(number), "current_time", {"place": place}, f"the time in {place}")
        for number, place in enumerate(named)
    )
    return Reading("times", steps, topic={"places": named})


def apart(source: str, target: str, at: str, scene: Scene) -> Reading:
    """How far apart two clocks are, or what the time of day `at` in one place is in the other."""
    arguments = {"from_place": source.strip(), "to_place": target.strip()} | ({"at": at.strip()} if at else {})
    why = f"{at} in {source} as the time in {target}" if at else f"the time difference between {source} and {target}"
    step = Draft(scene.step_id(), "time_difference", arguments, why)
    return Reading("times", (step,), value=f"${{{step.id}.hours}}", topic={"from": source, "at": at})


def _listed(text: str, *, sure: bool) -> list[str] | None:
    """The places that `text` names ("London, Paris and in Rome"). Unknown ones only where the question is `sure`."""
    whole = re.sub(r"^both\s+", "", text.strip(" ,."), flags=re.IGNORECASE)
    whole = re.sub(
        r"^(?:someone|somebody|people|anyone|friends|my \w+)(?: (?:living|who lives?|based|over))? in ",
        "",
        whole,
        flags=re.I,
    )
    if places.find(whole):
        return [whole]
    parts = [
        part for part in re.split(r"\s*,\s*(?:and |or )?(?:in )?|\s+(?:and|or|&)\s+(?:also )?(?:in )?", whole) if part
    ]
    known = [place for place in parts if places.find(place)]
    if len(parts) > 1 and known and all(_name_like(place) for place in parts):
        return parts if len(known) == len(parts) or sure else None
    return [whole] if sure and len(parts) == 1 and _name_like(whole) else None


def _name_like(text: str) -> bool:
    """Could this be the name of a place? At most four words, and none of those that begin another thought."""
    return len(text.split()) <= 4 and not re.search(
        r"\b(?:in|someone|people|my|your|the|when|what|if|does|do|is|are|will|should|it|game|match|movie|"
        r"meeting|flight|store|shop)\b|\d",
        text,
        re.IGNORECASE,
    )
