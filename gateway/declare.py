"""What a route takes and gives, declared beside it; /openapi.json is made of this (openapi/). How to: docs/api.md.

@blueprint.post("/api/runs/<run_id>/fork")
@declare.operation(takes=ForkRequest, gives={202: Forked})
def fork(run_id: str) -> Response:
    asked, _ = bodies.read(ForkRequest)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel
from typing_extensions import TypedDict

JSON = "application/json"
NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"

Item = TypeVar("Item")
View = TypeVar("View", bound=Callable[..., Any])


class Page(TypedDict, Generic[Item]):
    """A part of a list. next: the `cursor` of the part that follows, or null."""

    items: list[Item]
    next: str | None


class Taken(TypedDict):
    """That it was taken."""

    status: Literal["taken"]


class Named(TypedDict):
    """The name of what is gone."""

    name: str


@dataclass(frozen=True)
class Text:
    """A body or reply that is no JSON document: its content type and what is in it."""

    content_type: str
    description: str


@dataclass(frozen=True)
class Operation:
    """takes: the body (a model, models by `|`, or Text); optional: which may be left out. query: the parameters.
    gives: by status, the reply's shape.

    streams: it also answers with server-sent events where the client accepts those. example: a body that works.
    """

    takes: Any
    optional: bool
    query: type[BaseModel] | None
    gives: Mapping[int, Any]
    streams: bool = False
    example: Mapping[str, Any] = field(default_factory=dict)


def operation(
    takes: Any = None,
    *,
    gives: Any,
    query: type[BaseModel] | None = None,
    optional: bool = False,
    streams: bool = False,
    example: Mapping[str, Any] | None = None,
) -> Callable[[View], View]:
    """Declare the route below. gives: a shape (status 200), or shapes by status. Stands under the blueprint's line."""
    shapes = gives if isinstance(gives, dict) else {200: gives}
    declared = Operation(takes, optional, query, shapes, streams, example or {})

    def mark(view: View) -> View:
        view.__declared__ = declared  # type: ignore[attr-defined]
        return view

    return mark


def of(view: Callable[..., Any]) -> Operation | None:
    """What the view declares, or None."""
    return getattr(view, "__declared__", None)
