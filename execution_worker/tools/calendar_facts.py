"""The tool `calendar_facts`: leap years, and how many days a month or a year has."""

import calendar
from typing import Annotated, Any

from pydantic import Field

from services.tools.contract import tool


@tool(
    effect="pure",
    timeout=10,
    capabilities=["leap years", "how many days a month or year has"],
    examples=["Is 2028 a leap year?", "How many days are there in February 2028?", "When is the next leap year?"],
)
def calendar_facts(
    year: Annotated[int, Field(ge=1, le=9990)], month: Annotated[int, Field(ge=0, le=12)] = 0, next_leap: bool = False
) -> dict[str, Any]:
    """Whether `year` is a leap year and how many days it has, or its `month` (1 to 12).

    next_leap: ask instead for the first leap year after `year`. Returns `days`, `leap`, `year` and `text`.
    """
    if next_leap:
        year = next(later for later in range(year + 1, year + 9) if calendar.isleap(later))
        return {"year": year, "leap": True, "days": 366, "value": year, "text": f"The next leap year is {year}."}
    leap = calendar.isleap(year)
    if month:
        days = calendar.monthrange(year, month)[1]
        text = f"{calendar.month_name[month]} {year} has {days} days."
    else:
        days = 366 if leap else 365
        text = f"{year} is {'' if leap else 'not '}a leap year: it has {days} days."
    return {"year": year, "leap": leap, "days": days, "value": days, "text": text}
