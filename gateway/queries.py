"""Reading query parameters as a pydantic model (strict about names), and the cursors of lists."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

from flask import request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from gateway.declare import Page
from gateway.fields import Label
from services.errors import BadInput, FieldError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = r"^([0-9]{1,17}-[0-9a-f]{32})?$"

Cursor = Annotated[str, Field(pattern=_CURSOR, description="The `next` of the page before.")]
Labels = Annotated[list[Label], Field(description="`name:value`; given several times, all must be there.")]


class Query(BaseModel):
    """The parameters of a route: camelCase in the address, no unknown ones."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=False, extra="forbid")


Shape = TypeVar("Shape", bound=Query)
Row = TypeVar("Row")
Shown = TypeVar("Shown")


def limit(default: int, most: int) -> Any:
    """The field for how many items a page has."""
    return Field(default, ge=1, le=most, description="How many items at most.")


def read(shape: type[Shape]) -> Shape:
    """The parameters as `shape`. Raises BadInput that names the first faulty one."""
    lists = {field.alias for field in shape.model_fields.values() if "list[" in str(field.annotation)}
    given: dict[str, Any] = {}
    for name, values in request.args.lists():
        if any("\0" in value for value in values):
            raise refused(name[:80], "holds a NUL character; leave it out.")
        if len(values) > 1 and name not in lists:
            raise refused(name[:80], "is given more than once.")
        given[name] = values if name in lists else values[0]
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        raise _refused(error.errors(include_url=False)[0], shape) from error


def _refused(fault: Any, shape: type[Query]) -> BadInput:
    name = str((*fault["loc"], "")[0])[:80]
    if fault["type"] == "extra_forbidden":
        known = ", ".join(field.alias or field_name for field_name, field in shape.model_fields.items())
        return refused(name, f"is not a parameter here; known parameters: {known or 'none'}.")
    if fault["type"] == "missing":
        return refused(name, "is required.")
    return refused(name, f"is not taken: {fault['msg'].removeprefix('Value error, ')}.")


def refused(name: str, detail: str) -> BadInput:
    """The error for a faulty parameter."""
    return BadInput(f"The parameter {name!r} {detail}", errors=[FieldError(f"?{name}", detail)])


def labels(given: Sequence[str]) -> dict[str, str] | None:
    """The labels by name; None when there is none."""
    return {label.partition(":")[0]: label.partition(":")[2] for label in given} or None


def cursor_of(at: datetime, row_id: UUID) -> str:
    """The cursor of the page that follows this row. Every text of its pattern is one, so none fails later on."""
    return f"{(at - EPOCH) // timedelta(microseconds=1)}-{row_id.hex}"


def place(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The (time, id) that a cursor stands for, or None where there is none."""
    if not cursor or not re.fullmatch(_CURSOR, cursor):
        return None
    at, _, row_id = cursor.partition("-")
    return EPOCH + timedelta(microseconds=int(at)), UUID(row_id)


def page(found: Sequence[Row], limit: int, shown: Callable[[Row], Shown], cursor: Callable[[Row], str]) -> Page[Shown]:
    """A page of rows, of which one more than `limit` was asked for."""
    more = len(found) > limit
    return {"items": [shown(row) for row in found[:limit]], "next": cursor(found[limit - 1]) if more else None}


def all_of(found: Sequence[Row], shown: Callable[[Row], Shown]) -> Page[Shown]:
    """A list that is never long, whole."""
    return {"items": [shown(row) for row in found], "next": None}
