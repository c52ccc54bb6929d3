"""The tool `date_difference`: how many days, weeks, months or years lie between two days."""

from datetime import date
from typing import Any, Literal

from dateutil.relativedelta import relativedelta

from services import clock
from services.errors import Failed
from services.phrases import dates, numbers
from services.tools.contract import tool

Unit = Literal["days", "weeks", "months", "years"]
HOW = "write a day as 2026-12-25, 25 December 2026, next Friday or Christmas"


@tool(
    effect="pure",
    timeout=10,
    capabilities=["days, weeks, months or years between two dates", "days until a date or holiday"],
    examples=["How many days until Christmas?", "weeks between 3 May and 7 June", "How long since 1 March 2020?"],
)
def date_difference(end: str, start: str = "today", unit: Unit = "days") -> dict[str, Any]:
    """How far `end` is from `start` (by default today): days until, days since, weeks between.

    Days as ISO dates or in words ("25 December", "next Friday", "Easter 2027"). Returns `value` (in `unit`, negative
    when end comes first), `days`, both dates, and `text`.
    """
    today = clock.now().date()
    begin = _begin(start, end, today)
    until_now = end.strip().lower() in {"today", "now"}
    if until_now:  # "since Christmas" means the last one
        begin = on_day(start, today, "past")
    finish = on_day(end, today)
    if finish.date < begin.date and begin.date > today:  # "from 1 March 2030 to 5 June": the June after it
        finish = on_day(end, begin.date)
    days = (finish.date - begin.date).days
    value = _in_unit(begin.date, finish.date, unit)
    amount = f"{numbers.rounded(abs(value))} {unit if abs(value) != 1 else unit[:-1]}"
    amount += _exactly(begin.date, finish.date, unit, value)
    if begin.date == today and (days == 0 or not until_now):
        text = _from_today(finish, amount, days)
    elif finish.date == today:
        verb = "It has been" if days >= 0 else "It is"
        text = f"{verb} {amount} {'since' if days >= 0 else 'until'} {_named(begin)}."
    else:
        verb = "is" if amount.startswith("1 ") else "are"
        text = f"There {verb} {amount} between {_named(begin)} and {_named(finish)}."
    return {
        "value": value,
        "unit": unit,
        "days": days,
        "start": begin.date.isoformat(),
        "end": finish.date.isoformat(),
        "text": text,
    }


def _begin(start: str, end: str, today: date) -> dates.Day:
    """The first day; when only the last one says its year, the nearest before that: "1 January to 31 March 2026"."""
    begin = on_day(start, today)
    year = dates.year_said(end)
    if year is None or dates.year_said(start) is not None or not dates.looks_like_day(start):
        return begin
    finish = on_day(end, today).date
    return on_day(start, finish, "past")


def on_day(text: str, today: date, toward: dates.Toward = "future") -> dates.Day:
    """The day that `text` means. Raises Failed, with what would be right, when it means none."""
    found = dates.find(text, today, toward)
    if found is None and dates.looks_like_day(text):
        raise Failed(f"“{text}” is no day of the calendar, or could be two; {HOW}.")
    if found is None:
        raise Failed(f"“{text}” is not understood as a day; {HOW}.")
    return found


def _from_today(finish: dates.Day, amount: str, days: int) -> str:
    if days == 0:
        return f"{_named(finish)} is today."
    return f"{_named(finish)} is {amount} {'away' if days > 0 else 'ago'}."


def _named(day: dates.Day) -> str:
    return f"{day.name} ({dates.shown(day.date)})" if day.name else dates.shown(day.date)


def _in_unit(begin: date, finish: date, unit: Unit) -> int | float:
    days = (finish - begin).days
    if unit == "days":
        return days
    if unit == "weeks":
        return days // 7 if days % 7 == 0 else round(days / 7, 2)
    between = relativedelta(finish, begin)
    months = between.years * 12 + between.months
    whole = months if unit == "months" else between.years
    return whole


def _exactly(begin: date, finish: date, unit: Unit, value: float) -> str:
    """What the rounded amount leaves out, in parentheses."""
    days = abs((finish - begin).days)
    if unit == "weeks" and days % 7:
        return f" ({days // 7} weeks and {days % 7} day{'s' if days % 7 > 1 else ''})"
    if unit in {"months", "years"}:
        between = relativedelta(max(begin, finish), min(begin, finish))
        rest = [(between.months, "month")] if unit == "years" else []
        said = [f"{count} {name}{'s' if count != 1 else ''}" for count, name in [*rest, (between.days, "day")] if count]
        return f" and {' and '.join(said)}" if said else ""
    return ""
