"""Days from Monday to Friday: how many a text says, and the day so many of them away. Holidays are not known."""

import re
from datetime import date, timedelta

from services.phrases import numbers, words

_WORKING = re.compile(r"(\d+|an?|one)\s+(?:working|business|week|work)[ -]?days?")


def said(text: str) -> int | None:
    """How many days from Monday to Friday `text` says ("10 working days"), or None."""
    found = _WORKING.fullmatch(numbers.to_digits(words.fold(text)).strip(" .,?!"))
    return (int(found[1]) if found[1].isdigit() else 1) if found else None


def moved(start: date, by: int) -> date:
    """`start` moved by so many days from Monday to Friday; holidays are not known here."""
    weeks, rest = divmod(abs(by), 5)
    step = timedelta(days=1 if by >= 0 else -1)
    day = start + 7 * weeks * step
    while rest or (by and day.weekday() > 4):
        day += step
        rest -= day.weekday() < 5 and rest > 0
    return day
