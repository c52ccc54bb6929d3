"""The JSON Schemas of all shapes that routes declare, named once in `components`, referred to from everywhere."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter
from typing_extensions import TypedDict

REFERENCE = "#/components/schemas/{model}"


class FaultyField(TypedDict):
    """One faulty field. pointer: `#/plan/steps/2/tool` in the body, or `?limit` in the address."""

    pointer: str
    detail: str


class _Faults(TypedDict, total=False):
    errors: list[FaultyField]


class Problem(_Faults):
    """Why it was refused or failed, and what to do about it (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


class OpenAIFault(TypedDict):
    """What is wrong, and where."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIError(TypedDict):
    """Why it was refused or failed, as clients of OpenAI's API know it."""

    error: OpenAIFault


class Schemas:
    """Every shape's schema by the shape. `definitions` are those that others refer to."""

    def __init__(self, shapes: Iterable[Any]) -> None:
        wanted = list(dict.fromkeys(shapes))
        inputs = [(_name(shape), "validation", TypeAdapter(shape)) for shape in wanted]
        found, rest = TypeAdapter.json_schemas(inputs, ref_template=REFERENCE)  # type: ignore[arg-type]
        self._by_name = {name: schema for (name, _), schema in found.items()}
        self.definitions: dict[str, Any] = rest.get("$defs", {})

    def of(self, shape: Any) -> dict[str, Any]:
        """The schema of a shape, most often a reference."""
        return self._by_name[_name(shape)]


def parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    """The parameters of a query model, as OpenAPI writes them."""
    schema = _whole(query)
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            **({"description": prop["description"]} if "description" in prop else {}),
            "schema": {key: value for key, value in _without_null(prop).items() if key not in ("title", "description")},
        }
        for name, prop in schema["properties"].items()
    ]


@cache
def _whole(query: type[BaseModel]) -> dict[str, Any]:
    return query.model_json_schema(by_alias=True)


def _without_null(prop: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or not there; an address has no null."""
    kinds = [kind for kind in prop.get("anyOf", []) if kind != {"type": "null"}]
    rest = {key: value for key, value in prop.items() if key != "anyOf" and not (key == "default" and value is None)}
    return {**rest, **kinds[0]} if len(kinds) == 1 else {**rest, **({"anyOf": kinds} if kinds else {})}


def _name(shape: Any) -> str:
    return f"{getattr(shape, '__module__', '')}.{getattr(shape, '__qualname__', '')}{shape!r}"
