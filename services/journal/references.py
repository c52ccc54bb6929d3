"""References between steps: `${s1}` is the whole output of step s1, `${s1.path}` a JMESPath into it; `$${s1}` is none.

Used by the plan rules (which steps does this one need?) and by the execution worker (put the values in).
"""

import re
from collections.abc import Iterator
from typing import Any

import jmespath
import orjson
from jmespath.exceptions import JMESPathError

from services.errors import Failed

STEP_ID = r"[A-Za-z][A-Za-z0-9_-]{0,63}"
OF_ITEM = frozenset({"item", "index"})  # what a step with `forEach` may refer to besides steps
_REFERENCE = re.compile(r"(?<!\$)\$\{\s*(" + STEP_ID + r")([.\[][^}]*)?\s*\}")


def step_ids(value: Any) -> set[str]:
    """The ids of all steps that `value` (any JSON) refers to."""
    return {match.group(1) for match in _matches(value)}


def faulty_paths(value: Any) -> list[str]:
    """The references in `value` whose path is not valid JMESPath."""
    return [match.group(0) for match in _matches(value) if not _compiles(_path(match))]


def resolve(value: Any, outputs: dict[str, Any]) -> Any:
    """`value` with every reference replaced by what it points at.

    A string that is nothing but one reference keeps the type of what it points at; inside longer text the value is
    written as text (JSON for lists and objects). Raises Failed when a path finds nothing.
    """
    if isinstance(value, str):
        return _resolve_text(value, outputs)
    if isinstance(value, list):
        return [resolve(item, outputs) for item in value]
    if isinstance(value, dict):
        return {key: resolve(item, outputs) for key, item in value.items()}
    return value


def named(text: str) -> tuple[str, dict[str, re.Match[str]]]:
    """`text` with a name in the place of each reference, and what each name stands for."""
    paths: dict[str, re.Match[str]] = {}

    def name(match: re.Match[str]) -> str:
        paths[f"ref{len(paths)}_"] = match
        return list(paths)[-1]

    return _REFERENCE.sub(name, text), paths


def unescaped(value: Any) -> Any:
    """`value` with every `$${` made a `${`: references that are meant for somebody else's steps."""
    if isinstance(value, str):
        return value.replace("$${", "${")
    if isinstance(value, list):
        return [unescaped(part) for part in value]
    if isinstance(value, dict):
        return {key: unescaped(part) for key, part in value.items()}
    return value


def is_one(text: str) -> bool:
    """Whether `text` is nothing but one reference to a step."""
    whole = _REFERENCE.fullmatch(text)
    return whole is not None and whole.group(1) not in OF_ITEM


def is_name(word: str) -> bool:
    """Whether `named` puts such a word in the place of a reference."""
    return re.fullmatch(r"ref\d+_", word) is not None


def found(match: re.Match[str], outputs: dict[str, Any]) -> Any:
    """What a reference points at, None where there is nothing."""
    output, path = outputs.get(match.group(1)), _path(match)
    return jmespath.search(path, output) if path and output is not None else output


def of_item(value: Any, item: Any, index: int) -> Any:
    """`value` with `${item}`, `${item.path}` and `${index}` put in; all other references stay."""
    if isinstance(value, list):
        return [of_item(part, item, index) for part in value]
    if isinstance(value, dict):
        return {key: of_item(part, item, index) for key, part in value.items()}
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    mine: dict[str, Any] = {"item": item, "index": index}
    if whole and whole.group(1) in OF_ITEM:
        return _look_up(whole, mine)
    return _REFERENCE.sub(lambda at: _as_text(_look_up(at, mine)) if at.group(1) in OF_ITEM else at.group(0), value)


def _resolve_text(text: str, outputs: dict[str, Any]) -> Any:
    whole = _REFERENCE.fullmatch(text)
    if whole:
        return _look_up(whole, outputs)
    return _REFERENCE.sub(lambda match: _as_text(_look_up(match, outputs)), text)


def _look_up(match: re.Match[str], outputs: dict[str, Any]) -> Any:
    step_id, path = match.group(1), _path(match)
    if step_id not in outputs:
        raise Failed(f"The reference {match.group(0)} points at step {step_id}, which has no output.")
    if not path:
        return outputs[step_id]
    found = jmespath.search(path, outputs[step_id])
    if found is None:
        raise Failed(f"The reference {match.group(0)} finds nothing in the output of step {step_id}.")
    return found


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _path(match: re.Match[str]) -> str:
    return (match.group(2) or "").strip().removeprefix(".")


def _compiles(path: str) -> bool:
    try:
        return not path or bool(jmespath.compile(path))
    except JMESPathError:
        return False


def _matches(value: Any) -> Iterator[re.Match[str]]:
    if isinstance(value, str):
        yield from _REFERENCE.finditer(value)
    elif isinstance(value, list):
        for item in value:
            yield from _matches(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _matches(item)
