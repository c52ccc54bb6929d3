"""Days and intervals in everyday words: "4 July", "next Friday", "Christmas", "45 days from now"."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Literal

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

from services.phrases import numbers, words

Toward = Literal["future", "past", "this year"]

_MONTHS = "january february march april may june july august september october november december".split()
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_ORDINALS = """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
    fifteenth sixteenth seventeenth eighteenth nineteenth twentieth""".split()
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_FORMS = [
    re.compile(r"(?P<year>\d{4})[-/.](?P<number>\d{1,2})[-/.](?P<day>\d{1,2})"),
    re.compile(rf"(?:the )?{_DAY} (?:of )?{_MONTH}(?:,? (?:of )?{_YEAR})?"),
    re.compile(rf"{_MONTH} (?:the )?{_DAY}(?:,? (?:of )?{_YEAR})?"),
    re.compile(rf"(?:the )?(?:start of |beginning of )?{_MONTH} {_YEAR}"),
]
_NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})")
_FIXED = {
    "christmas": (12, 25), "xmas": (12, 25), "christmas day": (12, 25), "christmas eve": (12, 24),
    "boxing day": (12, 26), "new year": (1, 1), "new year's": (1, 1), "new years": (1, 1), "new year's day": (1, 1),
    "new years day": (1, 1), "the new year": (1, 1), "new year's eve": (12, 31), "new years eve": (12, 31),
    "halloween": (10, 31), "valentine's day": (2, 14), "valentines day": (2, 14), "valentine's": (2, 14),
    "st patrick's day": (3, 17), "saint patrick's day": (3, 17), "april fools day": (4, 1), "april fools' day": (4, 1),
    "april fool's day": (4, 1), "may day": (5, 1), "independence day": (7, 4), "the 4th of july": (7, 4),
    "bastille day": (7, 14), "all saints' day": (11, 1), "all saints day": (11, 1), "bonfire night": (11, 5),
    "guy fawkes night": (11, 5), "veterans day": (11, 11), "st nicholas day": (12, 6), "epiphany": (1, 6),
    "juneteenth": (6, 19), "leap day": (2, 29), "earth day": (4, 22), "pi day": (3, 14),
    "the end of the year": (12, 31), "end of the year": (12, 31), "year end": (12, 31), "the end of year": (12, 31),
}  # fmt: skip
_EASTER = {"easter": 0, "easter sunday": 0, "good friday": -2, "easter monday": 1, "ash wednesday": -46,
           "pentecost": 49, "ascension day": 39, "palm sunday": -7}  # fmt: skip
# (month, weekday 0-6, which one; -1 = last): the days of the United States
_NTH = {
        "thanksgiving": (11, 3, 4), "thanksgiving day": (11, 3, 4), "labor day": (9, 0, 1), "memorial day": (5, 0, -1),
        "mother's day": (5, 6, 2), "mothers day": (5, 6, 2), "father's day": (6, 6, 3), "fathers day": (6, 6, 3),
}  # fmt: skip
_SPAN_UNIT = r"(?:days?|weeks?|fortnights?|months?|quarters?|years?|decades?|centur(?:y|ies))"
_SPAN = re.compile(rf"(\d+|an?|one)\s+({_SPAN_UNIT})")
_SPANS = re.compile(rf"{_SPAN.pattern}(?:(?:\s*,\s*|\s+and\s+|\s*,\s*and\s+|\s+){_SPAN.pattern})*")


@dataclass(frozen=True)
class Day:
    """A day and, when it was named rather than dated, its name ("Christmas")."""

    date: date
    name: str | None = None


def find(text: str, today: date, toward: Toward = "future") -> Day | None:
    """The day that `text` means, seen from `today`, or None.

    A day without a year is the next one from today (`future`), the last one (`past`) or the one of this year.
    """
    phrase = _cleaned(text)
    try:
        return _relative(phrase, today) or _dated(phrase, today, toward) or _named(phrase, today, toward)
    except (ValueError, OverflowError):
        return None  # the 31st of February, the year 20000


def shift(text: str) -> relativedelta | None:
    """The interval that `text` says ("3 weeks", "a year and 2 days"), or None."""
    phrase = numbers.to_digits(words.fold(text)).strip(" .,?!")
    if not _SPANS.fullmatch(phrase):
        return None
    total = relativedelta()
    for count, unit in _SPAN.findall(phrase):
        total += _span(int(count) if count.isdigit() else 1, unit)
    return total


def moved(start: date, by: relativedelta) -> date:
    """`start` plus the interval. Raises ValueError or OverflowError outside the years 1 to 9999."""
    return start + by


def year_said(text: str) -> int | None:
    """The year that a date in `text` names itself, or None."""
    found = re.search(r"(?<!\d)(\d{4})(?!\d)", text)
    return int(found[1]) if found else None


def shown(day: date) -> str:
    """ "Friday 25 December 2026"."""
    return f"{_WEEKDAYS[day.weekday()].capitalize()} {day.day} {_MONTHS[day.month - 1].capitalize()} {day.year}"


def looks_like_day(text: str) -> bool:
    """Does `text` have the form of a date, though it may be impossible, such as 31 February?"""
    phrase = _cleaned(text)
    return any(form.fullmatch(phrase) for form in _FORMS) or _NUMERIC.fullmatch(phrase) is not None


def _cleaned(text: str) -> str:
    phrase = numbers.to_digits(words.fold(text)).strip(" .,?!")
    phrase = re.sub(r"^(?:on|by) ", "", phrase)
    phrase = re.sub(r"^(\d{4}-\d\d-\d\d)t[\d:.]+(?:z|[+-][\d:]+)?$", r"\1", phrase)  # as models write a day
    phrase = re.sub(r"\b(\d{1,2}) (st|nd|rd|th)\b", r"\1\2", phrase)
    phrase = re.sub(rf"\b({'|'.join(_ORDINALS)})\b(?! (?:sunday|quarter|world))", _ordinal, phrase)
    phrase = re.sub(r"\b(twenty|thirty|20|30)[ -](\d)(st|nd|rd|th)\b", _tens, phrase)
    return re.sub(rf"^(?:{'|'.join(_WEEKDAYS)}),? (?=the \d|\d|{_MONTH})".replace("?P<month>", "?:"), "", phrase)


def _ordinal(found: re.Match[str]) -> str:
    number = _ORDINALS.index(found[1]) + 1
    return f"{number}{'th' if number > 3 else ('st', 'nd', 'rd')[number - 1]}"


def _tens(found: re.Match[str]) -> str:
    return f"{({'twenty': 20, 'thirty': 30}.get(found[1]) or int(found[1])) + int(found[2])}{found[3]}"


def _relative(phrase: str, today: date) -> Day | None:
    near = {"today": 0,
        "today's date": 0,
        "the current date": 0,
        "tomorrow's date": 1,
        "yesterday's date": -1,
        "the day after tomorrow's date": 2,
        "day after tomorrow's date": 2,
         "now": 0, "right now": 0, "tomorrow": 1, "yesterday": -1, "the day after tomorrow": 2,
            "day after tomorrow": 2, "the day before yesterday": -2, "day before yesterday": -2}  # fmt: skip
    if phrase in near:
        return Day(today + timedelta(days=near[phrase]))
    ahead = re.fullmatch(r"in (.+?)(?: time|'s time|' time)?|(.+?) (?:from (?:now|today)|hence|later|ahead)", phrase)
    if ahead and (span := shift(ahead[1] or ahead[2])):
        return Day(moved(today, span))
    back = re.fullmatch(r"(.+?) (?:ago|earlier|back|before (?:now|today))", phrase)
    if back and (span := shift(back[1])):
        return Day(moved(today, -span))
    around = re.fullmatch(r"(.+?) (after|from|following|past|before|prior to) (.+)", phrase)
    if around and (span := shift(around[1])):
        start = find(around[3], today)
        return Day(moved(start.date, -span if around[2] in {"before", "prior to"} else span)) if start else None
    later = re.fullmatch(rf"(.+?) on ({'|'.join(_WEEKDAYS)})|(.+?) (today|tomorrow)", phrase)  # "a week on Friday"
    if later and (span := shift(later[1] or later[3])):
        start = find(later[2] or later[4], today)
        return Day(moved(start.date, span)) if start else None
    week = re.fullmatch(rf"(?:on )?({'|'.join(_WEEKDAYS)}|today|tomorrow) (week|fortnight)", phrase)
    if week and (start := find(week[1], today)):
        return Day(start.date + timedelta(days=7 if week[2] == "week" else 14))
    return _weekday(phrase, today) or _part(phrase, today)


def _weekday(phrase: str, today: date) -> Day | None:
    found = re.fullmatch(rf"(?:(next|this|this coming|coming|last|past|this past) )?({'|'.join(_WEEKDAYS)})", phrase)
    if not found:
        return None
    away = (_WEEKDAYS.index(found[2]) - today.weekday()) % 7
    if found[1] in {"last", "past", "this past"}:
        return Day(today + timedelta(days=away - 7))
    return Day(today + timedelta(days=away or 7))


def _part(phrase: str, today: date) -> Day | None:
    """The ends and beginnings of months and years."""
    first = today.replace(day=1)
    table = {
        "the end of the month": first + relativedelta(months=1, days=-1),
        "the end of this month": first + relativedelta(months=1, days=-1),
        "the end of next month": first + relativedelta(months=2, days=-1),
        "next month": first + relativedelta(months=1),
        "the start of next month": first + relativedelta(months=1),
        "the beginning of next month": first + relativedelta(months=1),
        "next year": date(today.year + 1, 1, 1),
        "the start of next year": date(today.year + 1, 1, 1),
        "the beginning of next year": date(today.year + 1, 1, 1),
        "the end of this year": date(today.year, 12, 31),
        "the end of next year": date(today.year + 1, 12, 31),
        "the weekend": today + timedelta(days=(5 - today.weekday()) % 7),
    }
    ordinal = re.fullmatch(
        r"(?:the )?(\d{1,2})(?:st|nd|rd|th)?(?: of (the|this|next) month)|the (\d{1,2})(?:st|nd|rd|th)", phrase
    )
    if ordinal:
        day = int(ordinal[1] or ordinal[3])
        month = first + relativedelta(months=1) if ordinal[2] == "next" else first
        if ordinal[2] in {None, "the"} and month.replace(day=day) < today:
            month += relativedelta(months=1)
        return Day(month.replace(day=day))
    return Day(table[phrase]) if phrase in table else None


def _dated(phrase: str, today: date, toward: Toward) -> Day | None:
    numeric = _NUMERIC.fullmatch(phrase)
    if numeric:
        return _numeric(int(numeric[1]), int(numeric[3]), int(numeric[4]))
    phrase, toward, year = _year_of(phrase, today, toward)
    for form in _FORMS:
        found = form.fullmatch(phrase)
        if found:
            part = found.groupdict()
            month = int(part["number"]) if part.get("number") else _month(part["month"])
            day = int(part.get("day") or 1)
            if part.get("year"):
                return Day(date(int(part["year"]), month, day))
            return Day(_nearest(today, partial(date, month=month, day=day), toward, year))
    return None


def _numeric(first: int, second: int, year: int) -> Day | None:
    """25/12/2026 or 12/25/2026; None where day and month could be either, unless they are equal."""
    if first > 12 or first == second:
        return Day(date(year, second, first))
    return Day(date(year, first, second)) if second > 12 else None


def _named(phrase: str, today: date, toward: Toward) -> Day | None:
    phrase, toward, year = _year_of(phrase, today, toward)
    name = re.sub(r"^(?:the )?next |^this |^last ", "", phrase)
    if phrase.startswith("last "):
        toward = "past"
    year_match = re.fullmatch(r"(.+?)(?: day)?,? (?:of |in )?(\d{4})", name)
    if year_match:
        name, year = year_match[1], int(year_match[2])
    key = name if name in _FIXED or name in _EASTER or name in _NTH else name.removeprefix("the ").removesuffix(" day")
    if key not in _FIXED and key not in _EASTER and key not in _NTH:
        return None
    day = _nearest(today, lambda wanted: _holiday(key, wanted), toward, year)
    return Day(day, re.sub(r"\b[a-z]", lambda first: first[0].upper(), key).replace("'S", "'s").replace("The ", "the "))


def _year_of(phrase: str, today: date, toward: Toward) -> tuple[str, Toward, int | None]:
    """`phrase` without "this year", "next year", "last year", and the year they mean."""
    found = re.fullmatch(r"(.+?),? (?:of |in )?(this|next|last) year", phrase)
    if not found:
        return phrase, toward, None
    return found[1], toward, today.year + {"this": 0, "next": 1, "last": -1}[found[2]]


def _holiday(key: str, year: int) -> date:
    if key in _FIXED:
        return date(year, *_FIXED[key])
    if key in _EASTER:
        return easter(year) + timedelta(days=_EASTER[key])
    month, weekday, which = _NTH[key]
    if which < 0:
        last = date(year, month, 1) + relativedelta(months=1, days=-1)
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))


def _nearest(today: date, make: Callable[[int], date], toward: Toward, year: int | None) -> date:
    if year is not None or toward == "this year":
        return make(year or today.year)
    step = 1 if toward == "future" else -1
    for wanted in range(today.year, today.year + 9 * step, step):
        try:
            day = make(wanted)
        except ValueError:
            continue  # 29 February of a common year
        if (day - today).days * step >= 0:
            return day
    raise ValueError("no such day")


def _month(name: str) -> int:
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(name[:3]))


def _span(count: int, unit: str) -> relativedelta:
    if unit.startswith("fortnight"):
        return relativedelta(weeks=2 * count)
    if unit.startswith("quarter"):
        return relativedelta(months=3 * count)
    if unit.startswith(("decade", "centur")):
        return relativedelta(years=count * (10 if unit.startswith("d") else 100))
    return relativedelta(**{unit.removesuffix("s") + "s": count})  # type: ignore[arg-type]
