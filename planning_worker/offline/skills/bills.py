"""Sums as they come up in shops and restaurants: tips, splitting, discounts, tax, changes in per cent, so many each.

Read by what the numbers are, not by the order of words; every other word has to be one that such questions are made of.
"""

import re
from dataclasses import dataclass

from planning_worker.offline import clauses
from planning_worker.offline.reading import Draft, Reading, Scene
from planning_worker.offline.skills import arithmetic_words

_NUMBER = r"\d+(?:\.\d+)?"
_WORDS = frozenset(
    """a an the my our this that it its it's is are was were be comes come came costs cost price priced total bill
    check tab meal dinner lunch breakfast restaurant taxi fare cab invoice purchase order item ticket of for on
    at to with and plus including include includes included leave leaving left tip tips tipping tipped gratuity
    service charge vat tax sales discount discounted off reduction reduced sale split splitting divide divided
    share shared sharing between among amongst by into equally evenly each per person people ways way friends us
    everyone everybody pay pays paying owe owes would will do does should i i've i'd we we've you have has had
    got how much many what what's whats give want wants to if when then so altogether in after before out all up
    new final original amount sum worth from went go goes gone rose risen fell fallen dropped increased
    decreased grew changed percentage percent % change increase decrease rise drop growth difference jumped down
    add adding calculate work figure please get save saved saving now normally usually regular shirt jacket coat
    laptop phone bag book dress shoes pair tv car house rent salary wage wages value stock shares raise hike
    jump fall gain loss pizza takeaway hotel room trip gift present groceries we're they're he she there there's
    ended say diners guests flatmates adults persons makes make come apply applied using restaurant's eur usd
    gbp dollars euros pounds quid bucks pence equal parts group party size one everyone's everybody's came
    reduced by price's can could tell me show find out i'm need know whole thing number evenly. as round""".split()
)
_PERCENT = re.compile(rf"({_NUMBER}) ?%")
_PEOPLE = re.compile(
    r"(?P<count>\d+) ?-?(?:people|persons?|ways?|friends|of us|guests|diners|flatmates|adults)|"
    r"(?:between|among|amongst|by) (?P<other>\d+)\b(?! ?%)"
)
_EACH = re.compile(
    rf"(?:(?:i|we|you|there)(?:'ve)? (?:have|has|buy|bought|got|are) |if (?:i|we) (?:have|buy) |have |"
    rf"bought )?(?P<a>{_NUMBER}) [a-z]+"
    r"(?:,? (?:and )?(?=[\d.]+ [a-z]+ (?:each|apiece))|"
    r"(?: (?:of|with|at|each with|each (?:containing|holding|costing)|containing|holding|that (?:hold|"
    r"cost)|costing))+ )"
    rf"(?P<b>{_NUMBER})(?: [a-z]+)?(?: each| apiece| per [a-z]+| in each(?: [a-z]+)?)?[,.;?]* (?:-+ )?(?:so )?"
    r"(?:how (?:many|much)(?: [a-z]+)?(?: (?:is|are|do|does) (?:i|we|that|there|it))?(?: (?:have|cost|"
    r"come to|spend|pay))?"
    r"(?: (?:in total|altogether|in all|total|all together))?|what(?:'s| is) the total(?: [a-z]+)?|(?:in )?total)"
)
_THING = re.compile(r"\b(?:a|an|the|my|this|our) (?!tip|bill|total|price|cost|discount|share)[a-z-]{3,}\b")
_MONEY_TALK = re.compile(
    r"\b(?:bill|tab|check|dinner|meal|lunch|breakfast|costs?|pric\w+|tip\w*|gratuity|people|persons?|ways|friends|us|"
    r"discount\w*|sale|off|vat|tax|pays?|each|share|split|reduced|pizza|fare|invoice|item|order|save)\b"
)
_PLAIN_SUM = re.compile(r"\b(?:result|answer|what (?:you|i|we) get|add \d|to \d+ and|multiply|subtract)\b")
_CHANGE = re.compile(rf"\bfrom (?P<a>{_NUMBER})(?: [a-z]+)? to (?P<b>{_NUMBER})\b")


@dataclass(frozen=True)
class _Numbers:
    """What was found: the amount, the percentage and among how many; None for what was not said."""

    amount: str
    percent: str | None
    people: str | None


def read(text: str, scene: Scene) -> Reading | None:
    """A question about a bill, a price or so many of something each."""
    phrase = arithmetic_words.plain(clauses.bare(text))
    phrase = re.sub(r"\b(?:per cent|percent|pct)\b", "%", phrase)
    each = _EACH.fullmatch(phrase.strip(" ?."))
    if each:
        return _calculated(f"{each['a']} * {each['b']}", phrase, scene)
    plain = _THING.sub("", phrase, count=1)
    left = set(re.findall(r"[a-z%][a-z'%.]*", _PERCENT.sub(" ", plain)))
    if {word.strip(".") for word in left} - _WORDS or clauses.urls(text):
        return None
    expression = _change(phrase) or _bill(phrase)
    return _calculated(expression, phrase, scene) if expression else None


def _change(phrase: str) -> str | None:
    """ "from 80 to 100": the change in per cent."""
    found = _CHANGE.search(phrase)
    asks = re.search(
        r"(?:%|percentage)\W+(?:\w+ )?(?:change|increase|decrease|rise|drop|growth|difference|raise|hike|"
        r"jump|fall|gain|loss)",
        phrase,
    )
    by_percent = re.search(r"(?:what|how many) (?:%|percentage)|by (?:what|how much) (?:%|percentage)", phrase)
    if not found or not (asks or by_percent) or len(re.findall(_NUMBER, phrase)) != 2 or float(found["a"]) == 0:
        return None
    return f"({found['b']} - {found['a']}) / {found['a']} * 100"


def _bill(phrase: str) -> str | None:
    numbers = _numbers(phrase)
    if numbers is None or not _MONEY_TALK.search(phrase) or _PLAIN_SUM.search(phrase):
        return None
    amount = numbers.amount
    if re.search(r"\b(?:off|discount\w*|reduc\w+|sale)\b", phrase):
        if not numbers.percent or numbers.people:
            return None
        saved = re.search(r"\b(?:sav\w+|how much (?:is|does) the discount|what(?:'s| is) the discount)\b", phrase)
        return f"{numbers.percent}% of {amount}" if saved else f"{amount} - {numbers.percent}%"
    extra = re.search(r"\b(?:tip\w*|gratuity|service|vat|tax)\b", phrase)
    if numbers.people and re.search(r"\b(?:split\w*|divid\w+|shar\w+|each|per person|between|among)\b", phrase):
        if numbers.percent and not extra:
            return None
        whole = f"({amount} + {numbers.percent}%)" if numbers.percent else amount
        return f"{whole} / {numbers.people}"
    if not numbers.percent or numbers.people or not extra:
        return None
    whole_asked = re.search(
        r"\b(?:total|altogether|in all|with (?:the )?tip|includ\w+|final|all in|do (?:i|we) pay|should "
        r"(?:i|we) pay|after)\b",
        phrase,
    )
    return f"{amount} + {numbers.percent}%" if whole_asked else f"{numbers.percent}% of {amount}"


def _numbers(phrase: str) -> _Numbers | None:
    """The amount, the percentage and the people; None when a number is none of them, or two are the same."""
    percents = _PERCENT.findall(phrase)
    rest = _PERCENT.sub(" ", phrase)
    people = [found["count"] or found["other"] for found in _PEOPLE.finditer(rest)]
    rest = _PEOPLE.sub(" ", rest)
    amounts = re.findall(_NUMBER, rest)
    if len(amounts) != 1 or len(percents) > 1 or len(set(people)) > 1 or not (percents or people):
        return None
    return _Numbers(amounts[0], percents[0] if percents else None, people[0] if people else None)


def _calculated(expression: str, phrase: str, scene: Scene) -> Reading:
    step = Draft(scene.step_id(), "calculate", {"expression": expression}, phrase)
    return Reading("arithmetic", (step,), value=f"${{{step.id}.value}}", topic={"expression": expression})
