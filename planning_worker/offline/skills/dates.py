"""Days between, days until, dates after an interval, weekdays."""

import re

from planning_worker.offline import clauses
from planning_worker.offline.reading import Draft, Reading, Scene
from services.phrases import dates, words, working_days

_UNIT = r"(?P<unit>days?|nights|sleeps|weeks?|months?|years?|long|much time|much longer)"
_D, _E = r"(?P<day>.+?)", r"(?P<end>.+?)"
_N = r"(?P<span>.+?)"
_LEFT = (
    r"(?: (?:are|is|do we have|have we|do i have|will it be|'s))?(?: (?:it|there|we|left|remaining|"
    r"still|to go|to wait|more|"
    r"i have|now|from now|from today|remain))*"
)
_UNTIL = clauses.wordings(
    [
        rf"in how many {_UNIT} (?:is|are|will it be|will be) {_D}",
        rf"(?:how (?:many )?)?(?:more )?{_UNIT}{_LEFT} (?:until|till|til|'til|to|before|up to) {_D}(?: "
        rf"(?:is|begins|starts|comes|arrives))?",
        rf"(?:what's |what is |the )*number of {_UNIT} (?:until|till|til|to|before|left until) {_D}",
        rf"how {_UNIT} (?:away|off) is {_D}",
        rf"how (?:many )?{_UNIT}(?: away| off) is {_D}",
        rf"how far (?:away|off) is {_D}(?: in (?P<unit2>days|weeks|months))?",
        rf"how soon is {_D}",
        rf"(?:the )?countdown (?:to|until) {_D}",
        rf"count (?:the )?{_UNIT} (?:until|till|to) {_D}",
    ]
)
_LEFT_IN = rf"how (?:many )?{_UNIT}{_LEFT} (?:in|of|this) (?:the |this )?(?:current )?(?P<part>year|month)(?: now)?"
_WHOSE = r"^(?:my|our|the|his|her|their) [\w' ]+? (?:on|in|is on|is) (?=\S)"  # "my birthday on 3 August"
_SINCE = clauses.wordings(
    [
        rf"(?:how (?:many )?)?{_UNIT}(?: (?:is|has|have|are|it's|it|there|been|passed|gone by|elapsed|were|"
        rf"was|did))* (?:since|from) {_D}(?: (?:until|to|till) (?:now|today))?",
        rf"how (?:many )?{_UNIT} ago (?:was|is|were) {_D}",
    ]
)
_BETWEEN = clauses.wordings(
    [
        rf"(?:how (?:many )?)?(?:the number of |number of )?(?:whole |full )?{_UNIT}(?: (?:are|is|lie|were|"
        rf"was|pass|elapse|in|it|there|do we have))* (?:between|from) {_D} (?:and|to|until|till|through) "
        rf"{_E}",
        rf"(?:what's |what is )?(?:the )?(?:difference|distance|interval|time)(?: in {_UNIT})? (?:between|"
        rf"from) {_D} (?:and|to) {_E}(?: in (?P<unit2>days|weeks|months|years))?",
        rf"how (?:many )?{_UNIT}(?: is| are)? {_E}(?: is)? after {_D}",
    ]
)
_WHAT_DAY = (
    r"(?:what|which|on what|on which)(?:'s| is| will| would| was)?(?: be)?(?: the| today's)? (?:date|"
    r"day|weekday|calendar date|calendar day|day of the week)"
)
_BE = r"(?: (?:is|was|were|will|would|does|did|do|it|that|be|we have|have|the|fall on|falls on|lands on))*"
_SHIFTED = clauses.wordings(
    [
        rf"{_N} (?P<side>after|before|from|following|prior to|past) {_D} (?:is|was|will be|falls on|would "
        rf"be) (?:what|which) (?:date|day|day of the week)",
        rf"{_N} (?P<side>from (?:now|today)|ago) (?:is|was|will be|would be) (?:what|which) (?:date|day|day "
        rf"of the week)",
        rf"(?:{_WHAT_DAY}{_BE},? |what(?:'s| is) )?{_N} (?P<side>from (?:now|today)|hence|ago|before (?:now|"
        rf"today)|after today)",
        rf"(?:{_WHAT_DAY}{_BE},? |what(?:'s| is) )?(?:in|within) {_N}(?:'s? time)?(?: from (?:now|today))?",
        rf"(?:{_WHAT_DAY}{_BE},? |what(?:'s| is) )?(?:comes )?{_N} (?P<side>after|before|from|following|"
        rf"prior to|past) {_D}",
        rf"(?:the )?(?:date|day) {_N} (?P<side>after|before|from|following|prior to) {_D}",
        rf"(?:the )?(?:date|day) {_N} (?P<side>from (?:now|today)|ago|hence)",
        rf"(?P<side>add) {_N} to {_D}",
        rf"(?P<side>subtract|take away|take|deduct) {_N} (?:from|off) {_D}",
        rf"(?:{_WHAT_DAY}{_BE},? |what(?:'s| is) )?{_D} (?P<side>plus|minus|\+|-) {_N}",
    ]
)
_WEEKDAY = clauses.wordings(
    [
        rf"{_WHAT_DAY}(?: of the week)? (?:was|were|is) (?:i|he|she|someone|you|they) born(?: on)?,? (?:if "
        rf".*?born|when born|on|born) (?:on )?{_D}",
        rf"{_WHAT_DAY}(?: of the week)? (?:was|were|is) (?:i|he|she|someone|you|they) born(?: on)?,? (?:if|"
        rf"when|given)(?: that)? (?:my|his|her|their) (?:birthday|birth date|date of birth) (?:is|was) "
        rf"(?:on )?{_D}",
        rf"{_WHAT_DAY}(?: of the week)?{_BE}(?: on)? {_D}(?: (?:fall|falls|fell|land|lands|be|was|is|happen|"
        rf"celebrated|going to be))?(?: on)?(?P<year> (?:this|next|last) year| in \d{{4}})?",
        rf"(?:when|what date|which date)(?:'s| is| was| will| does)? {_D}(?: (?:be|fall|happen|take place|"
        rf"celebrated|was|is))?(?: on)?(?P<year> (?:this|next|last) year| in \d{{4}})?",
        rf"(?:the )?(?:weekday|day of the week)(?: of| for| on)? {_D}",
        rf"{_D} (?:is|was|falls on|will be)(?: on)?(?: a)? (?:what|which) (?:day|date|weekday)(?: of the week)?",
        rf"what(?:'s| is| was| will)?(?: be)? {_D}'s (?:date|weekday|day)",
        rf"(?:the )?(?:date|day|weekday)(?: on| of| for)? {_D}",
        rf"(?:the )?date of {_D}(?P<year> (?:this|next|last) year| in \d{{4}})?",
    ]
)
_TODAY = re.compile(
    r"(?:what(?:'s| is)? )?(?:the )?(?:current |today's )(?:date|day|weekday)(?: today)?|"
    r"what(?:'s| is)?(?: the)? (?:date|day|weekday|day of the week)(?: is it| is| it is)?(?: today| now| right now)?|"
    r"what is today|what's today|(?:the )?date(?: today)?|today's date|which day is (?:it|today)|what "
    r"day of the week is it(?: today)?",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"how old (?:is|am|would|are) (?:someone|somebody|a person|anyone|i|you|he|she|they)(?: be)?(?: "
    r"who (?:was|is)| if (?:i|you|he|she|they) (?:was|were|am|are))? "
    r"born (?:on |in )?(?P<day>.+)",
    re.IGNORECASE,
)
_BORN = re.compile(
    r"(?:if |say |suppose )?(?:i|he|she|they|you|someone|somebody|a person|my \w+|we|one)(?: was| were|"
    r" am| is|'s|'m|) born (?:on |in )?(?P<day>.+?)"
    r"(?:,|\.|;| -)? (?:then )?(?:and )?(?:what age|how old|how many (?P<unit>days|weeks|months|years) "
    r"old) (?:would |will |am |is |are |was )?(?:i|"
    r"he|she|they|you|that|we|one|it|my \w+)?"
    r"(?: (?:am|is|are|be|now|today|make (?:me|him|her|them)))*|"
    r"(?:what(?:'s| is) )?(?:the |my )?age (?:of )?(?:someone |somebody |a person |if )?(?:who was |i "
    r"was )?born (?:on |in )?(?P<other>.+)|"
    r"born (?:on |in )?(?P<third>.+?),? (?:how old|what age)(?: (?:am|is|are|would|i|he|she|they|that|be|now|today))*",
    re.IGNORECASE,
)
_ALSO = re.compile(
    r"(?:what about|how about|and)?\s*(?:until|till|to|for|since|on|before)?\s*(?P<day>.+)", re.IGNORECASE
)


def read(text: str, scene: Scene) -> Reading | None:
    """Days until, since and between, dates after an interval, weekdays and ages."""
    phrase = clauses.bare(text)
    if _TODAY.fullmatch(phrase):
        return find("today", "", scene)
    return (
        _aged(phrase, scene)
        or _between(phrase, scene)
        or _until(phrase, scene)
        or _since(phrase, scene)
        or _shifted(phrase, scene)
        or _weekday(phrase, scene)
        or _followed(phrase, scene)
    )


def _until(phrase: str, scene: Scene) -> Reading | None:
    left = re.fullmatch(_LEFT_IN, phrase, re.IGNORECASE)
    if left and re.search(r"left|remain|to go", phrase, re.IGNORECASE):
        return count("today", f"the end of the {left['part'].lower()}", _unit(left), scene, {"form": "until"})
    for found in _matches(_UNTIL, phrase):
        day = _year_begins(_meant(re.sub(_WHOSE, "", found["day"], flags=re.IGNORECASE), scene))
        if _is_day(day, scene):
            return count("today", day, _unit(found), scene, {"form": "until"})
    return None


def _year_begins(day: str) -> str:
    """ "2027" is its first day where a day is wanted."""
    return f"1 January {day.strip()}" if re.fullmatch(r"\s*(?:19|20|21)\d\d\s*", day) else day


def _since(phrase: str, scene: Scene) -> Reading | None:
    for found in _matches(_SINCE, phrase):
        if _is_day(found["day"], scene):
            return count(found["day"], "today", _unit(found), scene, {"form": "since"})
    return None


def _between(phrase: str, scene: Scene) -> Reading | None:
    for found in _matches(_BETWEEN, phrase):
        if _is_day(found["day"], scene) and _is_day(found["end"], scene):
            return count(found["day"], found["end"], _unit(found), scene, {"form": "between", "start": found["day"]})
    return None


def _aged(phrase: str, scene: Scene) -> Reading | None:
    for found in _matches([_AGE, _BORN], phrase):
        day = next(part for name, part in found.groupdict().items() if part and name != "unit")
        if re.fullmatch(r"\d{4}", day):
            return None  # the year alone leaves two answers
        if _is_day(day, scene):
            unit = (found.groupdict().get("unit") or "years").lower()
            return count(day, "today", unit, scene, {"form": "since"})
    return None


def _shifted(phrase: str, scene: Scene) -> Reading | None:
    for found in _matches(_SHIFTED, phrase):
        part = found.groupdict()
        side = (part.get("side") or "").lower()
        day = part.get("day") or "today"
        if (dates.shift(part["span"]) or working_days.said(part["span"])) is None or not _is_day(day, scene):
            continue
        back = side.startswith(("ago", "before", "subtract", "take", "deduct", "minus", "-", "prior"))
        return find(day, f"{'-' if back else ''}{part['span'].strip()}", scene)
    return None


def _weekday(phrase: str, scene: Scene) -> Reading | None:
    for found in _matches(_WEEKDAY, phrase):
        day = _meant(found["day"] + (found.groupdict().get("year") or ""), scene)
        if _is_day(day, scene):
            return find(day, "", scene)
    return None


def _meant(day: str, scene: Scene) -> str:
    """The day itself, where "that" stands for one that was found before."""
    if day.lower() not in {"that", "it", "this", "that day", "that date", "then"}:
        return day
    if scene.before and scene.last and "date" in scene.last.topic:
        return f"${{{scene.last.steps[-1].id}.date}}"
    told = [turn.text for turn in scene.request.turns if turn.role == "assistant"]
    found = re.findall(r"\b\d{1,2} [A-Z][a-z]+ \d{4}\b", told[-1]) if told else []
    return str(found[-1]) if found else day


def _followed(phrase: str, scene: Scene) -> Reading | None:
    """ "And until Halloween?" after a question about days."""
    if not scene.last or scene.last.skill != "dates":
        return None
    found = _ALSO.fullmatch(
        re.sub(r"^(?:and )?how (?:many|long) (?=until|till|since|to)", "", phrase, flags=re.IGNORECASE)
    )
    topic = scene.last.topic
    in_unit = re.fullmatch(
        r"(?:(?:and|what about|how about) )?(?:how many |in )?(days|weeks|months|years)(?: is (?:that|it))?",
        phrase,
        re.I,
    )
    if in_unit and "end" in topic:
        return count(str(topic["from"]), str(topic["end"]), in_unit[1].lower(), scene, topic)
    if not found or not _is_day(found["day"], scene):
        return None
    if topic.get("form") == "since":
        return count(found["day"], "today", str(topic["unit"]), scene, topic)
    if "form" in topic:
        return count(str(topic.get("start", "today")), found["day"], str(topic["unit"]), scene, topic)
    return find(found["day"], "", scene)


def count(start: str, end: str, unit: str, scene: Scene, topic: object) -> Reading:
    """How far it is from one day to another, in `unit`; topic: what a follow-up builds on."""
    arguments = {"end": end.strip()}
    if start != "today":
        arguments["start"] = start.strip()
    if unit != "days":
        arguments["unit"] = unit
    step = Draft(scene.step_id(), "date_difference", arguments, f"{unit} from {start} to {end}")
    known = dict(topic) if isinstance(topic, dict) else {}
    return Reading(
        "dates", (step,), value=f"${{{step.id}.value}}", topic={**known, "from": start, "end": end, "unit": unit}
    )


def find(day: str, shift: str, scene: Scene) -> Reading:
    """Which day it is, moved by `shift` if that is not empty."""
    arguments = {"date": day.strip()} | ({"shift": shift} if shift else {})
    step = Draft(scene.step_id(), "find_date", arguments, f"{shift} from {day}" if shift else f"the date of {day}")
    return Reading("dates", (step,), topic={"date": day})


def _matches(patterns: list[re.Pattern[str]], phrase: str) -> list[re.Match[str]]:
    found = [pattern.fullmatch(phrase) for pattern in patterns]
    return [match for match in found if match]


def _unit(found: re.Match[str]) -> str:
    part = found.groupdict()
    said = (part.get("unit2") or part.get("unit") or "days").lower()
    return said.rstrip("s") + "s" if said.rstrip("s") in {"day", "week", "month", "year"} else "days"


def _is_day(text: str, scene: Scene) -> bool:
    phrase = words.fold(text)
    return text.startswith("${") or dates.find(phrase, scene.today) is not None or dates.looks_like_day(phrase)
