"""What a query asks for, read by rules: a point in time, a span of days, and what is left of it without a name."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from services.phrases import dates

_ASKS_WHEN = re.compile(
    r"\W*(?:(?:do|can|could) you (?:know|remember|recall|tell me) |tell me )?"
    r"(?:when\b|since when\b|how long\b|how often\b|(?:in |on |at )?(?:what|which) (?:date|day|time|year|month|"
    r"week)\b)",
    re.IGNORECASE,
)
_TELLS_WHEN = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|last|next|ago|weeks?|weekends?|months?|years?|days?|morning|afternoon|"
    r"evening"
    r"|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may|june|july|august"
    r"|september|october|november|december|(?:1[89]|20)\d\d|since|recently|soon|just|\d{1,2}(?::\d\d)? ?[ap]m)\b",
    re.IGNORECASE,
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_MONTH_OF_YEAR = re.compile(rf"\b(?:in|during|of|since)? ?({_MONTH}),? (?:of )?(\d{{4}})\b", re.IGNORECASE)
_DAY = re.compile(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH}(?:,? \d{{4}})?|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?"
    r"|\d{4}-\d{2}-\d{2}|yesterday|today|(?:\d+|a|two|three|four|five|six) (?:days?|weeks?|months?|years?) ago)\b",
    re.IGNORECASE,
)
_LAST = re.compile(r"\b(this|last|past) (week|weekend|month|year)\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:in|during) ((?:19|20)\d\d)\b")


@dataclass(frozen=True)
class Span:
    """From `start` to before `end`, both in UTC."""

    start: datetime
    end: datetime


def asks_when(query: str) -> bool:
    """Whether the answer is a time."""
    return _ASKS_WHEN.match(query) is not None


def tells_when(text: str) -> bool:
    """Whether a text has a word of time in it."""
    return _TELLS_WHEN.search(text) is not None


def without_name(query: str, name: str) -> str:
    """The query without that name: what is asked about them, for comparing with what they said themselves."""
    left = re.sub(rf"\b{re.escape(name)}(?:['’]s)?(?!\w)", " ", query, flags=re.IGNORECASE)
    return " ".join(left.split()) or query


def span(query: str, now: datetime) -> Span | None:
    """The days that the query speaks of ("in May 2023", "last week", "on 8 May"), seen from `now`; None if none."""
    today = now.astimezone(UTC).date()
    found = _DAY.search(query)
    if found:
        day = dates.find(found[0], today, "past")
        return _days(day.date, day.date + timedelta(days=1)) if day else None
    found = _MONTH_OF_YEAR.search(query)
    if found:
        first = dates.find(f"{found[1]} {found[2]}", today, "past")
        return _days(first.date.replace(day=1), _month_after(first.date)) if first else None
    found = _LAST.search(query)
    if found:
        return _of_unit(found[1].lower(), found[2].lower(), today)
    found = _YEAR.search(query)
    if found:
        return _days(date(int(found[1]), 1, 1), date(int(found[1]) + 1, 1, 1))
    return None


def _of_unit(which: str, unit: str, today: date) -> Span:
    back = 0 if which == "this" else 1
    if unit in {"week", "weekend"}:
        monday = today - timedelta(days=today.weekday() + 7 * back)
        return _days(monday + timedelta(days=5 if unit == "weekend" else 0), monday + timedelta(days=7))
    if unit == "year":
        return _days(date(today.year - back, 1, 1), date(today.year - back + 1, 1, 1))
    first = today.replace(day=1)
    if back:
        first = (first - timedelta(days=1)).replace(day=1)
    return _days(first, _month_after(first))


def _month_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _days(start: date, end: date) -> Span:
    return Span(
        datetime(start.year, start.month, start.day, tzinfo=UTC), datetime(end.year, end.month, end.day, tzinfo=UTC)
    )
