"""Templates of what a trigger starts: `{{body.order.id}}`, `{{headers.x-github-event}}` and `{{query.name}}` stand for
parts of the call. A text that is nothing but one of them becomes the value itself, whatever its type.

What comes from outside can't say more than its words: handles of secrets and references to steps in it are undone.
"""

import re
from typing import Any

import jmespath
import orjson
from jmespath.exceptions import JMESPathError

from services.errors import BadInput, FieldError

_PLACE = re.compile(r"\{\{\s*(body|headers|query)(?:\.([^{}]+?))?\s*\}\}")


def fault(value: Any, pointer: str = "#") -> FieldError | None:
    """The first path in the template that can't be read, or None."""
    if isinstance(value, str):
        for match in _PLACE.finditer(value):
            try:
                jmespath.compile(_path(match))
            except JMESPathError:
                return FieldError(pointer, f"has {match.group(0)}, which is no path into the call.")
        return None
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return next((found for key, part in parts if (found := fault(part, f"{pointer}/{key}"))), None)


def check(template: dict[str, Any], pointer: str) -> None:
    """Raise BadInput for a path that can't be read."""
    found = fault(template, pointer)
    if found is not None:
        raise BadInput(f"{found.pointer}: {found.detail}", errors=[found])


def filled(template: Any, call: dict[str, Any]) -> Any:
    """The template with the parts of this call ({body, headers, query}) in their places."""
    if isinstance(template, str):
        whole = _PLACE.fullmatch(template)
        if whole:
            return _harmless(_found(whole, call))
        return _PLACE.sub(lambda match: _text(_harmless(_found(match, call))), template)
    if isinstance(template, list):
        return [filled(part, call) for part in template]
    if isinstance(template, dict):
        return {key: filled(part, call) for key, part in template.items()}
    return template


def _found(match: re.Match[str], call: dict[str, Any]) -> Any:
    try:
        return jmespath.search(_path(match), call)
    except JMESPathError:
        return None  # of this call's shape, it finds nothing


def _path(match: re.Match[str]) -> str:
    part, path = match.groups()
    if path is None:
        return str(part)
    return f'{part}."{path}"' if part != "body" else f"{part}.{path}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("{{", "{ {").replace("${", "$ {")
    if isinstance(value, list):
        return [_harmless(part) for part in value]
    if isinstance(value, dict):
        return {_harmless(key): _harmless(part) for key, part in value.items()}
    return value
