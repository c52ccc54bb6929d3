"""The tool `find_date`: which day something is, the weekday of a date, a date plus or minus an interval."""

from datetime import date as date_
from typing import Any

from execution_worker.tools.date_difference import HOW, on_day
from services import clock
from services.errors import Failed
from services.phrases import dates, working_days
from services.tools.contract import tool


@tool(
    effect="pure",
    timeout=10,
    capabilities=["today's date", "weekday of a date", "date plus or minus days, weeks, months, years"],
    examples=["What weekday was 20 July 1969?", "What's the date 45 days from now?", "When is Easter 2027?"],
)
def find_date(date: str = "today", shift: str = "") -> dict[str, Any]:
    """Which day `date` is ("today", "Easter 2027", "20 July 1969"), moved by `shift` ("45 days", "-3 weeks") if given.

    A day without a year is the one of this year if it is dated, the next one if it is a holiday or weekday. Returns
    `date` (ISO), `weekday`, and `text`.
    """
    today = clock.now().date()
    day = on_day(date, today, "this year" if dates.looks_like_day(date) else "future")
    moved = day.date
    if shift.strip():
        sign = -1 if shift.strip().startswith("-") else 1
        plain = shift.strip().lstrip("+-")
        span, working = dates.shift(plain), working_days.said(plain)
        if span is None and working is None:
            raise Failed(f"“{shift}” is not understood as an interval; write it as 45 days, 2 weeks or -3 months.")
        try:
            moved = dates.moved(day.date, span * sign) if span else working_days.moved(day.date, (working or 0) * sign)
        except (ValueError, OverflowError) as error:
            raise Failed(f"“{shift}” from there leaves the calendar (years 1 to 9999); {HOW}.") from error
    return {"date": moved.isoformat(), "weekday": f"{moved:%A}", "text": _sentence(day, date, shift, moved)}


def _sentence(day: dates.Day, asked: str, shift: str, moved: date_) -> str:
    if shift.strip():
        away = shift.strip().lstrip("+-").strip()
        side = "before" if shift.strip().startswith("-") else "after"
        start = "today" if asked.strip().lower() in {"today", "now"} else _title(day)
        return f"{away[:1].upper()}{away[1:]} {side} {start} is {dates.shown(moved)}."
    if moved == clock.now().date() and not day.name:
        return f"Today is {dates.shown(day.date)}."
    return f"{_title(day)} is {'' if day.name else 'a '}{dates.shown(day.date) if day.name else f'{day.date:%A}'}."


def _title(day: dates.Day) -> str:
    return day.name or dates.shown(day.date).split(" ", 1)[1]
