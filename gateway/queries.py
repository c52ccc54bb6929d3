"""Reading query parameters, and the cursors of lists."""

import base64
from datetime import datetime
from uuid import UUID

from flask import request

from services.errors import BadInput, FieldError


def integer(name: str, default: int, *, least: int, most: int) -> int:
    """The whole number of this parameter. Raises BadInput outside `least` … `most`."""
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise refused(name, f"must be a whole number from {least} to {most}.")
    return int(text)


def choice(name: str, choices: list[str]) -> str | None:
    """The value of this parameter, one of `choices`, or None when it is not given."""
    value = request.args.get(name)
    if value is not None and value not in choices:
        raise refused(name, f"must be one of {', '.join(choices)}.")
    return value


def moment(name: str) -> datetime | None:
    """The point in time of this parameter (RFC 3339 with zone), or None when it is not given."""
    value = request.args.get(name)
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise refused(name, "must be a time as RFC 3339 writes it, like 2026-01-31T12:00:00Z.") from error
    if at.tzinfo is None:
        raise refused(name, "must name its zone, like 2026-01-31T12:00:00Z.")
    return at


def labels() -> dict[str, str] | None:
    """The labels of `label=name:value`, given as often as wanted; None when there is none."""
    found = {}
    for label in request.args.getlist("label"):
        name, separator, value = label.partition(":")
        if not separator or not name:
            raise refused("label", "must be a name and a value, like team:red.")
        found[name] = value
    return found or None


def known_only(*names: str) -> None:
    """Raise BadInput when the address has a parameter that is not among `names`: a misspelt filter is no filter."""
    for name in request.args:
        if name not in names:
            raise refused(name[:80], f"is not a parameter here; known parameters: {', '.join(names)}.")


def refused(name: str, detail: str) -> BadInput:
    """The error for a faulty parameter."""
    return BadInput(f"The parameter {name!r} {detail}", errors=[FieldError(f"?{name}", detail)])


def cursor_of(created_at: datetime, row_id: UUID) -> str:
    """The cursor of the page that follows this row."""
    return base64.urlsafe_b64encode(f"{created_at.isoformat()}|{row_id}".encode()).decode().rstrip("=")


def cursor(name: str = "cursor") -> tuple[datetime, UUID] | None:
    """The (created_at, id) that this parameter stands for, or None when it is not given."""
    text = request.args.get(name)
    if not text:
        return None
    try:
        at, _, row_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition("|")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("a cursor's time has a zone")
        return moment, UUID(row_id)
    except ValueError as error:
        raise refused(name, "is not a cursor of this list; take it from the `next` of the page before.") from error
