"""Redaction: fields of a message that are sent and never shown.

What is shown in their place is a hash, so that two messages can be compared; it is keyed, so that short values can't be
guessed. Once a message is delivered only the hashes are left.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from services.secrets import vault

ALL = "*"


@dataclass(frozen=True)
class Redaction:
    """headers: their names. fields: of a JSON body, as paths like `card.number`; `*` for the whole body."""

    headers: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)


def shown(redaction: Redaction, headers: dict[str, str], body: Any) -> dict[str, Any]:
    """{headers, body} of a message as they may be shown."""
    hidden = {name.lower() for name in redaction.headers}
    return {
        "headers": {name: hashed(value) if name.lower() in hidden else value for name, value in headers.items()},
        "body": _body(redaction.fields, body),
    }


def hashed(value: Any) -> str:
    """What is shown in place of a value."""
    said = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return "hmac:" + vault.sign("redacted", said)


def _body(fields: list[str], body: Any) -> Any:
    if ALL in fields:
        return None if body is None else hashed(body)
    if not fields or not isinstance(body, str):
        return body
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return hashed(body)  # nobody can say where in it the fields are
    for path in fields:
        _hide(parsed, path.split("."))
    return orjson.dumps(parsed).decode()


def _hide(value: Any, path: list[str]) -> None:
    """Replace what is at this path; a list on the way stands for all its items."""
    if isinstance(value, list):
        for item in value:
            _hide(item, path)
    elif isinstance(value, dict) and path[0] in value:
        if len(path) == 1:
            value[path[0]] = hashed(value[path[0]])
        else:
            _hide(value[path[0]], path[1:])
