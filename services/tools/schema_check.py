"""Do a step's arguments fit the tool's JSON Schema? References are wild cards: their values are known only later."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from services.journal import references


def argument_faults(arguments: dict[str, Any], schema: dict[str, Any]) -> list[tuple[str, str]]:
    """Each fault as (JSON pointer below the arguments, one sentence). A value that holds a reference always fits."""
    return [
        ("".join(f"/{part}" for part in error.absolute_path), _sentence(error))
        for error in _faults(arguments, schema)
        if not references.step_ids(error.instance) or error.validator in {"required", "additionalProperties"}
    ]


def _faults(arguments: dict[str, Any], schema: dict[str, Any]) -> Iterator[ValidationError]:
    return _validator(orjson.dumps(schema)).iter_errors(arguments)


@lru_cache(maxsize=1_000)
def _validator(schema: bytes) -> Draft202012Validator:
    return Draft202012Validator(orjson.loads(schema))


def _sentence(error: ValidationError) -> str:
    known = sorted(error.schema.get("properties", {})) if isinstance(error.schema, dict) else []
    if error.validator in {"required", "additionalProperties"} and known:
        return f"{error.message}; its arguments are {', '.join(known)}."
    return f"{error.message}."
