"""Quantities from one unit of measure to another. Currencies are declined: there are no exchange rates here."""

import re
from dataclasses import dataclass, replace

from planning_worker.offline import clauses
from planning_worker.offline.reading import Draft, Reading, Scene
from services.phrases import numbers, units

_VERB = (
    r"(?:(?:convert|change|turn|express|transform|translate|put|switch|calculate|compute|work out|"
    r"what(?:'s| is| are| would)?(?: be)?|"
    r"how (?:much|many|far|long|heavy|tall|big|hot|cold|warm|fast|high|wide|deep)(?: is| are)?|is|equals?)\s+)?"
)
_TO = (
    r"\s+(?:in to|in|into|to|as|converted (?:in)?to|expressed in|measured in|when converted to|=|[-=]+>|→)\s+(?:an? )?"
)
_Q, _U = r"(?:an? \w+ of )?(?P<quantity>.+?)", r"(?P<unit>.+?)"
_DIRECT = clauses.wordings(
    [
        rf"{_VERB}{_Q}{_TO}{_U}",
        rf"how many {_U}(?: are| is| do| does| will| would)?(?: there| you get| i get| we get| fit| go)?(?: "
        rf"in| into| is| are| makes?| make up| equals?| per| to| for| from|"
        rf" correspond to| does it take to make)\s+{_Q}(?: have| make| equal| contain| hold| come to| "
        rf"amount to| weigh)?",
        rf"how many {_U} (?:do|does|would) {_Q} (?:have|make|equal|contain|hold|come to|amount to|weigh|take)",
        rf"(?:i have |i've got |i am |i'm |i weigh |i ran |i walked |i need |it's |it is |there are |there "
        rf"is |given |he is |she is )?{_Q}"
        rf"(?: of [a-z ]+?| tall| long| heavy| high| wide| away| deep| far)?\s*[,;.:–—-]+\s*(?:and )?(?:how "
        rf"(?:many|much) {_U} (?:is|are|would|does) (?:that|it|this|those|they)(?: be| make)?)",
        rf"(?:i have |i've got |i am |i'm |i weigh |i ran |i walked |it's |it is |he is |she is )?{_Q}(?: "
        rf"of [a-z ]+?| tall| long| heavy| high| wide| away)?"
        rf"\s*[,;.:–—-]+\s*(?:and )?(?:what(?:'s| is| are| would)|how much is) (?:that|it|this|those)(?: be)? in {_U}",
        rf"{_Q} (?:is|are|equals?|makes?) how many {_U}",
        rf"how much (?:does|do|is) {_Q} (?:weigh|measure|hold|in weight)? ?(?:in|as) {_U}",
        rf"(?:my|our|the|this|that|his|her|a|an) [a-z ']+? (?:is|was|are|weighs?|measures?)(?: "
        rf"[a-z]+){{0,3}}? (?=[-\d]){_Q}\s*[,;.:–—-]+\s*(?:and )?what(?:'s| is) that in {_U}",
        rf"{_U} in {_Q}",
    ]
)
_THAT = r"(?:that|it|this|the (?:result|answer|sum|total|value|number|product|difference)|them)"
_OF_THAT = clauses.wordings(
    [
        rf"(?:convert|change|turn|express|transform|put|switch)\s+{_THAT}(?: from (?P<source>.+?))?{_TO}{_U}",
        rf"(?:what(?:'s| is)|how much is)\s+{_THAT}{_TO}{_U}",
        rf"how many {_U} (?:is|are|does|would) {_THAT}(?: make| be)?",
    ]
)
_AGAIN = clauses.wordings(
    [
        rf"(?:what about |how about |or |and )?(?:in|to|into|as)\s+{_U}",
        r"(?:what about |how about |and |the )*(?:same (?:for|with) )?(?P<quantity>.+)",
    ]
)
_NUMBER = r"[-+−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
_SIMPLE = re.compile(
    rf"(?P<count>\d+ \d+/\d+|\d+/\d+|{_NUMBER}|an?|one|half an?)\s*(?:of an? )?(?P<unit>[^\d\s].*)", re.IGNORECASE
)
_COMPOUND = re.compile(
    rf"(?P<big>{_NUMBER})\s*(?P<large>'|ft\.?|feet|foot|lbs?|pounds?|stones?|st|hours?|hrs?|h|minutes?|"
    rf"mins?|metres?|meters?|m|miles?|kg|yards?)\s*(?:and )?"
    rf"(?P<little>{_NUMBER})\s*(?P<small>''|\"|in(?:ches|ch)?\.?|oz|ounces?|lbs?|pounds?|minutes?|mins?|"
    rf"m|seconds?|secs?|cm|centimetres?|centimeters?|g|grams?|feet|foot|ft)?",
    re.IGNORECASE,
)
_PARTS = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "eighth": 8,
    "tenth": 10,
}
_FRACTION = re.compile(
    rf"^(?:(?P<whole>\d+) and )?(?:(?P<count>\d+|an?|one)[ -])?(?P<part>{'|'.join(_PARTS)})s?(?: "
    rf"of)?(?: an?)? (?=[a-z])",
    re.IGNORECASE,
)
_SMALLER = {"foot": ("inches", 12), "pound": ("ounces", 16), "stone": ("pounds", 14), "hour": ("minutes", 60),
            "minute": ("seconds", 60), "meter": ("centimetres", 100), "kilogram": ("grams", 1000), "yard": ("feet", 3),
            "mile": ("feet", 5280)}  # fmt: skip


@dataclass(frozen=True)
class Quantity:
    """An amount of a unit, the unit as the user called it."""

    value: float
    unit: str


def read(text: str, scene: Scene) -> Reading | None:
    """A quantity and the unit it is wanted in, alone or after “that”."""
    phrase = numbers.to_digits(clauses.bare(text).replace("”", '"').replace("″", '"').replace("′", "'"))
    phrase = re.sub(r"\bminus (?=\d)", "-", phrase)
    declined = _currency(phrase)
    return declined or _direct(phrase, scene) or _of_that(phrase, scene) or _again(phrase, scene)


def _direct(phrase: str, scene: Scene) -> Reading | None:
    asked_to = re.match(r"(?:convert|change|turn|express)\b", phrase, re.IGNORECASE)  # the tool says why it can't
    for pattern in _DIRECT:
        found = pattern.fullmatch(phrase)
        amount = quantity(found["quantity"]) if found else None
        targets = _targets(found["unit"]) if found else []
        if amount and targets and (asked_to or all(units.same_kind(amount.unit, target) for target in targets)):
            made = [convert(amount.value, amount.unit, target, scene, n) for n, target in enumerate(targets)]
            return replace(made[-1], steps=tuple(reading.steps[0] for reading in made))
    return None


def _targets(text: str) -> list[str]:
    """The units that are asked for ("Celsius and kelvin"); none when one of them is not a unit."""
    if units.find(text):
        return [text]
    several = re.split(r"\s*,\s*(?:and )?|\s+(?:and|or)\s+(?:in )?", text)
    return several if len(several) > 1 and all(units.find(unit) for unit in several) else []


def _of_that(phrase: str, scene: Scene) -> Reading | None:
    value, last = scene.value(), scene.last
    if value is None:
        return None
    for pattern in _OF_THAT:
        found = pattern.fullmatch(phrase)
        if not found or not units.find(found["unit"]):
            continue
        source = found.groupdict().get("source") or (str(last.topic.get("to", "")) if last else "")
        if source and units.find(source):
            return convert(value if value.startswith("$") else float(value), source, found["unit"], scene)
    return None


def _again(phrase: str, scene: Scene) -> Reading | None:
    """ "And in metres?", "what about 5 miles?" after a conversion."""
    if not scene.last or scene.last.skill != "conversions" or "from" not in scene.last.topic:
        return None
    topic = scene.last.topic
    found = _AGAIN[0].fullmatch(phrase)
    if found and units.find(found["unit"]):
        return convert(topic["value"], str(topic["from"]), found["unit"], scene)
    found = _AGAIN[1].fullmatch(phrase)
    amount = quantity(found["quantity"]) if found else None
    return convert(amount.value, amount.unit, str(topic["to"]), scene) if amount else None


def convert(value: float | str, source: str, target: str, scene: Scene, offset: int = 0) -> Reading:
    """A step that converts, `offset` steps after the next one."""
    arguments = {"value": value, "from_unit": _tidy(source), "to_unit": _tidy(target)}
    step = Draft(scene.step_id(offset), "convert_units", arguments, f"{value} {source} in {target}")
    topic = {"value": value, "from": _tidy(source), "to": _tidy(target)}
    return Reading("conversions", (step,), value=f"${{{step.id}.value}}", topic=topic)


def quantity(text: str) -> Quantity | None:
    """An amount with its unit ("3 cups", "half a pound", "5 foot 11"), or None."""
    text = re.sub(
        r"^(\d+(?:\.\d+)?)k (?=[a-z])", lambda found: f"{numbers.show(float(found[1]) * 1000)} ", text.strip()
    )
    compound = _COMPOUND.fullmatch(text.strip())
    if compound and (found := _compound(compound)):
        return found
    simple = _SIMPLE.fullmatch(_FRACTION.sub(_in_figures, text.strip()))
    if not simple:
        return None
    if not units.find(simple["unit"]):  # "500 g of flour": what it is of does not matter
        shorter = re.sub(r"\s+of\s+(?:the |an? )?[a-z]+(?: [a-z]+)?$|(?<=[a-z])\s+(?!of\b)[a-z]{3,}$", "", text.strip())
        return quantity(shorter) if shorter != text.strip() else None
    count = simple["count"].lower().replace("−", "-")
    if count in {"a", "an", "one"}:
        return Quantity(1, simple["unit"])
    if count.startswith("half"):
        return Quantity(0.5, simple["unit"])
    if "/" in count:
        whole, _, part = count.rpartition(" ")
        top, bottom = part.split("/")
        return Quantity(float(whole or 0) + float(top) / float(bottom), simple["unit"]) if float(bottom) else None
    return Quantity(float(count), simple["unit"])


def _in_figures(found: re.Match[str]) -> str:
    """ "three quarters of a pint" → "3/4 pint"."""
    count = (found["count"] or "1").lower()
    top = int(count) if count.isdigit() else 1
    bottom = _PARTS[found["part"].lower()]
    whole = int(found["whole"] or 0)
    return f"{whole * bottom + top}/{bottom} "


def _compound(found: re.Match[str]) -> Quantity | None:
    """5 foot 11 is 71 inches."""
    large = units.find(found["large"])
    if large not in _SMALLER:
        return None
    small, ratio = _SMALLER[large]
    said = found["small"]
    if said and said != "''" and units.find(said) != units.find(small):
        return None
    return Quantity(float(found["big"]) * ratio + float(found["little"]), small)


def _currency(phrase: str) -> Reading | None:
    """A clause about money and nothing else: declined with the reason."""
    money = r"(?:[$€£¥₹]\s*)?[\d.]+\s*(?P<a>[a-z$€£¥ ]*?)|(?:an? |one )?(?P<c>[a-z ]+?)"
    found = re.fullmatch(rf"{_VERB}(?:{money}){_TO}(?P<b>[a-z$€£¥ ]+)", phrase, re.IGNORECASE) or re.fullmatch(
        rf"how (?:many|much)(?: in)? (?P<b>[a-z ]+?) (?:is|are|are there in|do i get for|for|in|can i get "
        rf"for) (?:{money})",
        phrase,
        re.I,
    )
    if not found or not (units.is_currency(found["b"]) or units.is_currency(found["a"] or found["c"] or "")):
        return None
    return Reading("conversions", declined="Exchange rates change by the minute and I have none.")


def _tidy(unit: str) -> str:
    return unit.strip(" .?!")
