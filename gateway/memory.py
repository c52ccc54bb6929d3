"""/api/memory: add what should be remembered about a user, and search it."""

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import AwareDatetime, Field, model_validator

from gateway import authentication, bodies, wire
from services import clock
from services.memory import memories, retrieval
from services.pipeline import phases

DEFAULT_USER = "default"
MAX_ITEMS = 5_000

blueprint = Blueprint("memory", __name__)

Name = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[str, Field(min_length=1, max_length=20_000)]


class Remembered(bodies.Body):
    """One thing to remember. at: when it was said or happened (RFC 3339 with zone); now if left out."""

    text: Words
    user_id: Name | None = None
    conversation_id: Name | None = None
    kind: Annotated[str, Field(pattern="^(message|episode|fact|note)$")] = "note"
    at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class AddRequest(Remembered):
    """One thing to remember, or `items` with many."""

    text: Words | None = None  # type: ignore[assignment]
    items: Annotated[list[Remembered], Field(min_length=1, max_length=MAX_ITEMS)] | None = None

    @model_validator(mode="after")
    def _one_or_many(self) -> "AddRequest":
        if (self.text is None) == (self.items is None):
            raise ValueError("give `text` for one memory or `items` for many")
        if self.items and self.model_fields_set - {"items"}:
            raise ValueError("with `items`, every other field belongs inside each item")
        return self


class SearchRequest(bodies.Body):
    """What to look for. k: how many at most."""

    query: Words
    user_id: Name | None = None
    conversation_id: Name | None = None
    k: Annotated[int, Field(ge=1, le=200)] = 10


@blueprint.post("/api/memory")
def add() -> Response:
    """Answers 201 with the id, or the ids in order; found by words at once, by meaning once a worker embedded it."""
    asked, _ = bodies.read(AddRequest)
    wanted = asked.items if asked.items is not None else [asked]
    ids = memories.add_many(
        authentication.caller().tenant,
        [
            memories.NewMemory(
                item.user_id or DEFAULT_USER,
                item.text or "",
                kind=item.kind,
                at=item.at,
                conversation_id=item.conversation_id,
                metadata=item.metadata,
            )
            for item in wanted
        ],
    )
    phases.ring_embedding()
    if asked.items is None:
        return wire.reply({"id": str(ids[0])}, status=201)
    return wire.reply({"ids": [str(memory_id) for memory_id in ids]}, status=201)


@blueprint.post("/api/memory/search")
def search() -> Response:
    """The memories of a user that fit the query best, best first."""
    asked, _ = bodies.read(SearchRequest)
    found = retrieval.search(
        authentication.caller().tenant,
        asked.user_id or DEFAULT_USER,
        asked.query,
        k=asked.k,
        conversation_id=asked.conversation_id,
    )
    items = [
        {
            "id": str(item.id),
            "text": item.text,
            "score": item.score,
            "kind": item.kind,
            "at": clock.to_wire(item.at),
            "metadata": item.metadata,
            "source": item.source,
        }
        for item in found.items
    ]
    return wire.reply({"items": items, "ways": list(found.ways), "note": found.note})
