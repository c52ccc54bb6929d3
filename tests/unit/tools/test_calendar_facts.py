"""The tool `calendar_facts`: leap years and the days of months, and spans of working days by `find_date`."""

import pytest

from execution_worker.tools.calendar_facts import calendar_facts
from execution_worker.tools.find_date import find_date


@pytest.mark.parametrize(("year", "leap"), [(2024, True), (2026, False), (1900, False), (2000, True)])
def test_a_leap_year_divides_by_four_but_not_by_a_hundred_unless_by_four_hundred(year: int, leap: bool) -> None:
    assert calendar_facts.function(year)["leap"] is leap


def test_the_days_of_a_month_and_the_next_leap_year_are_told() -> None:
    assert calendar_facts.function(2028, month=2)["text"] == "February 2028 has 29 days."
    assert calendar_facts.function(2028, next_leap=True)["text"] == "The next leap year is 2032."


@pytest.mark.parametrize(
    ("start", "shift", "date"),
    [
        ("2026-05-20", "10 working days", "2026-06-03"),
        ("2026-05-22", "1 business day", "2026-05-25"),
        ("2026-05-25", "-1 working day", "2026-05-22"),
    ],
)
def test_working_days_leave_out_weekends(start: str, shift: str, date: str) -> None:
    assert find_date.function(start, shift)["date"] == date
