"""Misspelt key words set right ("celcius", "Tokio"); tried only on text that nothing could read as it is."""

import re
from functools import lru_cache

from services.phrases import places, words

_WORDS = frozenset(
    """
    calculate compute convert conversion multiply multiplied divide divided subtract subtracted percent percentage
    square squared cubed average difference between remainder product result answer factorial increase decrease discount
    until since before after today tomorrow yesterday january february march april august september october november
    december monday tuesday wednesday thursday friday saturday sunday christmas halloween easter thanksgiving valentine
    calendar weekday weeks months years hours minutes seconds century decade fortnight birthday leap
    celsius fahrenheit kelvin kilometre kilometres kilometer kilometers metre metres meter meters centimetre centimetres
    centimeter centimeters millimetre millimetres millimeters kilogram kilograms gram grams pound pounds ounce ounces
    stone gallon gallons litre litres liter liters millilitre millilitres milliliters pints quarts tablespoon
    tablespoons teaspoon teaspoons inches yards miles acres hectares degrees gigabytes megabytes kilobytes terabytes
    remember remind reminder forget website title titles links summary summarise summarize current currently local
    thousand million billion hundred eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty
    thirty forty fifty sixty seventy eighty ninety half third quarter timezone ahead behind please would there their
    three seven eight where which about these those while other could should calculator number numbers times total
    """.split()
)
# What is said in chat for short, and slips in words too short to be compared.
_SHORT = {
    "wat": "what", "wot": "what", "waht": "what", "whta": "what", "hwo": "how", "hw": "how", "u": "you", "ur": "your",
    "r": "are", "tiem": "time", "tme": "time", "teh": "the", "mutliply": "multiply", "dif": "difference", "thier":
    "their", "diff": "difference", "tmrw": "tomorrow", "tmr": "tomorrow", "tomoz": "tomorrow", "bday": "birthday",
    "xmass": "xmas", "wk": "week", "wks": "weeks", "yr": "year", "yrs": "years", "pct": "percent", "perc": "percent",
    "calc": "calculate", "avg": "average", "hrs": "hours", "mins": "minutes", "secs": "seconds", "rite": "right",
    "wich": "which", "untill": "until", "til": "until", "dayz": "days", "b4": "before", "2day": "today", "forteen":
    "fourteen", "fourty": "forty", "ninty": "ninety", "inchs": "inches", "foots": "feet", "foots.": "feet",
    "sqaure": "square", "wensday": "wednesday", "weds": "wednesday", "divded": "divided", "devided": "divided",
    "minuts": "minutes", "dayss": "days", "mintues": "minutes",
}  # fmt: skip
# Good words that lie one letter from a key word or a place.
_GOOD = frozenset(
    """mouth mouths match house trees quite pairs parts child manly nicer there three tames yards years country
    world feast beast least maybe march mayor later water color louder stones store stores""".split()
)


@lru_cache(maxsize=1024)
def mended(text: str) -> str:
    """`text` with misspelt key words and names of countries and large cities set right where only one is near."""
    return re.sub(r"(?<![\w/.'’@-])[A-Za-z]+(?![\w@/’'-])", lambda found: _mended_word(found[0]), text)


def _mended_word(word: str) -> str:
    folded = words.fold(word)
    if folded in _SHORT:
        return _SHORT[folded]
    if len(folded) < 5 or folded in _WORDS or folded in _GOOD or folded in _names():
        return word
    near = {one for one in _WORDS if one[0] == folded[0] and _near(folded, one)}
    near |= set() if near else {name for name in _names() if name[0] == folded[0] and _near(folded, name, 1)}
    if len(near) == 1:
        return near.pop()
    close = {one for one in near if _distance(folded, one) == 1}
    return close.pop() if len(close) == 1 else word


def _near(word: str, other: str, most: int | None = None) -> bool:
    allowed = most or (2 if max(len(word), len(other)) >= 8 else 1)
    if other in {word + "s", word[:-1]} and word.endswith("s") != other.endswith("s") and most is None:
        return False  # a plural is no slip
    return abs(len(word) - len(other)) <= allowed and _distance(word, other) <= allowed


def _distance(word: str, other: str) -> int:
    """Letters to insert, delete, replace or swap with their neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, 1):
        following = [i]
        for j, theirs in enumerate(other, 1):
            cost = min(row[j] + 1, following[j - 1] + 1, row[j - 1] + (letter != theirs))
            if i > 1 and j > 1 and letter == other[j - 2] and word[i - 2] == theirs:
                cost = min(cost, before[j - 2] + 1)
            following.append(cost)
        before, row = row, following
    return row[-1]


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    """Names of one word of countries, and of the cities that name a time zone."""
    return frozenset(name for name in places.well_known() if re.fullmatch(r"[a-z]{5,}", name))
