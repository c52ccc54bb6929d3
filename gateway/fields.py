"""Kinds of values that bodies, parameters and replies share: times, ids, names, labels, whole numbers."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, Strict, WithJsonSchema

MOST = 9_007_199_254_740_991  # what every client's numbers can hold
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_YEARS = (1, 9998)  # so that no zone carries a time out of what can be written
EXAMPLE_RUN = "0190c5f2-7b1e-7c3a-9f4d-2b8e6a1c0d57"


def _timely(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError("must be a time as RFC 3339 writes it, with its zone, like 2026-01-31T12:00:00Z")
    return value.upper().replace(":60", ":59")  # a leap second


def _writable(value: datetime) -> datetime:
    if not _YEARS[0] < value.year <= _YEARS[1]:
        raise ValueError("is out of the range of years")
    return value.astimezone(UTC)


def _digits(value: Any) -> Any:
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 17):
        raise ValueError("must be a whole number")
    return value


def _true_or_false(value: Any) -> Any:
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("must be true or false")
    return value == "true" if isinstance(value, str) else value


Moment = Annotated[AwareDatetime, Strict(False), BeforeValidator(_timely), AfterValidator(_writable)]
DIGITS = BeforeValidator(_digits)  # of a parameter that is a whole number; the last of its annotations
Flag = Annotated[bool, BeforeValidator(_true_or_false)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Label = Annotated[str, Field(pattern="^[^:]+:", examples=["team:red"])]

# in replies
Time = Annotated[
    str, WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00.000Z"]})
]
Id = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid", "examples": [EXAMPLE_RUN]})]
Anything = Annotated[Any, WithJsonSchema({"description": "any JSON"})]
