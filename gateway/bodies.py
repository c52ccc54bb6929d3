"""Reading request bodies: type, size, JSON, depth, then a strict pydantic model. Each refusal says what and where."""

from typing import Any, TypeVar

import orjson
from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from werkzeug.exceptions import UnsupportedMediaType

from services.errors import BadInput, FieldError

MAX_DEPTH = 64


class Body(BaseModel):
    """A request body: camelCase on the wire, exact types, no unknown fields."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=False, extra="forbid", strict=True)


Shape = TypeVar("Shape", bound=Body)


def read(shape: type[Shape]) -> tuple[Shape, Any]:
    """The body as `shape`, and as plain JSON.

    Raises BadInput that points at each faulty field, UnsupportedMediaType, RequestEntityTooLarge.
    """
    raw = _json()
    return fitted(shape, raw), raw


def fitted(shape: type[Shape], raw: Any) -> Shape:
    """This JSON as `shape`. Raises BadInput that points at each faulty field."""
    if not isinstance(raw, dict):
        raise BadInput("The body must be a JSON object.", errors=[FieldError("#", "is not an object.")])
    try:
        return _validated(shape, raw)
    except ValidationError as error:
        faults = [_fault(fault, shape) for fault in error.errors(include_url=False, include_input=False)]
        raise BadInput(_summary(faults), errors=faults) from error


def _validated(shape: type[Shape], raw: dict[str, Any]) -> Shape:
    """The shape of it. A number like 3.0 is a whole one, as JSON has it, though our types are exact."""
    try:
        return shape.model_validate(raw)
    except ValidationError as error:
        whole = [fault for fault in error.errors(include_url=False) if fault["type"] == "int_type"]
        if not any([_made_whole(raw, fault) for fault in whole]):
            raise
    return shape.model_validate(raw)


def _made_whole(node: Any, fault: Any) -> bool:
    """Puts the whole number in the place of a float that is one; False where there is none."""
    *path, last = fault["loc"]
    try:
        for part in path:
            node = node[part]
        value = node[last]
    except (KeyError, IndexError, TypeError):  # the path leads through kinds of a union, too
        return False
    if not isinstance(value, float) or not value.is_integer():
        return False
    node[last] = int(value)
    return True


def anything(raw: bytes) -> Any:
    """A body that may be JSON or not: its value or its text, None where it is empty. Raises BadInput."""
    try:
        found = orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError:
        found = raw.decode(errors="replace")
    fault = _unstorable(found, may_hold_nul=True)
    if fault:
        raise BadInput(f"{fault.pointer}: {fault.detail}", errors=[fault])
    return found


def read_or_default(shape: type[Shape]) -> Shape:
    """The same where the body may be left out: then what the shape is without any field."""
    return read(shape)[0] if request.get_data() else shape()


def one_of(*names: str) -> dict[str, Any]:
    """For a shape's JSON Schema: one of these fields at least is there and not null."""
    return {"anyOf": [given(name) for name in names]}


def given(*names: str) -> dict[str, Any]:
    """A JSON Schema: these fields are there and not null."""
    return {"required": list(names), "properties": {name: {"not": {"type": "null"}} for name in names}}


def _json() -> Any:
    if not (request.mimetype == "application/json" or request.mimetype.endswith("+json")):
        raise UnsupportedMediaType("Send the body as JSON, with the header Content-Type: application/json.")
    body = request.get_data()
    if not body.strip():
        raise BadInput("The body is empty; send a JSON object.")
    return parsed(body)


def parsed(body: bytes | str) -> Any:
    """The JSON value of a text. Raises BadInput for what is none, is nested too deep, or holds a NUL character."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadInput(f"This is not valid JSON: {error.msg.split(':')[0]} at {where}.") from error
    fault = _unstorable(value, may_hold_nul="\\u0000" in body if isinstance(body, str) else b"\\u0000" in body)
    if fault:
        raise BadInput(f"{fault.pointer}: {fault.detail}", errors=[fault])
    return value


def _unstorable(value: Any, *, may_hold_nul: bool) -> FieldError | None:
    """The first thing in `value` that is nested too deep, or (Postgres has no place for it) holds a NUL character."""
    waiting: list[tuple[str, Any, int]] = [("#", value, 1)]
    while waiting:
        pointer, node, depth = waiting.pop()
        if isinstance(node, str):
            if may_hold_nul and "\0" in node:
                return FieldError(pointer, "holds a NUL character (\\u0000); leave it out.")
            continue
        if not isinstance(node, dict | list):
            continue
        if depth > MAX_DEPTH:
            return FieldError(pointer, f"is nested more than {MAX_DEPTH} levels deep; flatten it.")
        parts = node.items() if isinstance(node, dict) else enumerate(node)
        for key, part in parts:
            if may_hold_nul and "\0" in str(key):
                return FieldError(pointer, "has a field name with a NUL character (\\u0000); leave it out.")
            waiting.append((f"{pointer}/{_escaped(key)}", part, depth + 1))
    return None


def _fault(fault: Any, shape: type[Body]) -> FieldError:
    pointer = "/".join(["#", *map(_escaped, fault["loc"])])
    if fault["type"] == "extra_forbidden":
        known = ", ".join(field.alias or name for name, field in shape.model_fields.items())
        place = f"; known fields: {known}" if len(fault["loc"]) == 1 else ""
        return FieldError(pointer, f"there is no field {_shortened(str(fault['loc'][-1]))!r}{place}.")
    if fault["type"] == "missing":
        return FieldError(pointer, "is required.")
    return FieldError(pointer, f"{fault['msg'].removeprefix('Value error, ')}.")


def _summary(faults: list[FieldError]) -> str:
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{faults[0].pointer}: {faults[0].detail}{more}"


def _escaped(part: object) -> str:
    """One part of a JSON pointer (RFC 6901 §3)."""
    return _shortened(str(part)).replace("~", "~0").replace("/", "~1")


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "…"
