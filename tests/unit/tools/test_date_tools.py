"""The tools `date_difference` and `find_date`: days in words, holidays, intervals, and nonsense."""

from datetime import UTC, datetime

import pytest
import time_machine

from execution_worker.tools.date_difference import date_difference
from execution_worker.tools.find_date import find_date
from services.errors import Failed

NOW = datetime(2026, 5, 20, 14, 30, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("end", "start", "unit", "value"),
    [
        ("Christmas", "today", "days", 219),
        ("xmas", "today", "days", 219),
        ("New Year", "today", "days", 226),
        ("Easter 2027", "today", "days", 312),
        ("Thanksgiving", "today", "days", 190),
        ("1 March", "today", "days", 285),
        ("29 February", "today", "days", 650),
        ("next Friday", "today", "days", 2),
        ("tomorrow", "today", "days", 1),
        ("2025-03-15", "2024-01-01", "days", 439),
        ("2026-06-07T00:00:00Z", "2026-05-03T00:00:00+02:00", "days", 35),
        ("30 September 2026", "4 July 2026", "weeks", 12.57),
        ("15 June 2026", "15 January 2025", "months", 17),
        ("1 January 2000", "20 July 1969", "years", 30),
        ("today", "March 1st, 2026", "days", 80),
        ("today", "Christmas", "days", 146),
        ("2024-01-01", "2025-03-15", "days", -439),
        ("25/12/2026", "today", "days", 219),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_the_span_between_two_days_is_counted(end: str, start: str, unit: str, value: float) -> None:
    assert date_difference.function(end, start, unit)["value"] == value


@time_machine.travel(NOW, tick=False)
def test_spans_are_told_in_plain_sentences() -> None:
    assert date_difference.function("Christmas")["text"] == "Christmas (Friday 25 December 2026) is 219 days away."
    assert date_difference.function("today", "1 March 2026")["text"] == "It has been 80 days since Sunday 1 March 2026."
    assert date_difference.function("today")["text"] == "Wednesday 20 May 2026 is today."
    assert date_difference.function("tomorrow")["text"] == "Thursday 21 May 2026 is 1 day away."


@pytest.mark.parametrize(
    ("date", "shift", "expected", "weekday"),
    [
        ("today", "", "2026-05-20", "Wednesday"),
        ("20 July 1969", "", "1969-07-20", "Sunday"),
        ("Christmas", "", "2026-12-25", "Friday"),
        ("Christmas this year", "", "2026-12-25", "Friday"),
        ("4th of July", "", "2026-07-04", "Saturday"),
        ("1 March", "", "2026-03-01", "Sunday"),
        ("today", "45 days", "2026-07-04", "Saturday"),
        ("today", "-30 days", "2026-04-20", "Monday"),
        ("May 20", "three weeks", "2026-06-10", "Wednesday"),
        ("31 January 2027", "1 month", "2027-02-28", "Sunday"),
        ("29 February 2028", "1 year", "2029-02-28", "Wednesday"),
        ("today", "a year and 2 days", "2027-05-22", "Saturday"),
        ("Mother's Day", "", "2027-05-09", "Sunday"),
        ("two weeks from next Monday", "", "2026-06-08", "Monday"),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_a_day_is_found(date: str, shift: str, expected: str, weekday: str) -> None:
    result = find_date.function(date, shift)

    assert (result["date"], result["weekday"]) == (expected, weekday)


@pytest.mark.parametrize(
    "day", ["31 February 2026", "2026-13-01", "32nd of May", "blursday", "", "3/4/2026", "9999-99-01"]
)
def test_nonsense_dates_are_refused_with_how_to_write_a_day(day: str) -> None:
    with pytest.raises(Failed, match="write a day as"):
        find_date.function(day)


@pytest.mark.parametrize("shift", ["soon", "5 bananas", "900000 years", "-99999 years"])
def test_nonsense_intervals_are_refused(shift: str) -> None:
    with pytest.raises(Failed):
        find_date.function("today", shift)
