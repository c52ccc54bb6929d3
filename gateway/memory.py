"""/api/memory: add what should be remembered about a user, search it, look through it, correct and delete it."""

from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint, Response, request
from pydantic import AwareDatetime, Field, model_validator

from gateway import authentication, bodies, queries, wire
from services import clock
from services.errors import NotFound
from services.memory import memories, retrieval, upkeep
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


class Correction(bodies.Body):
    """The text that takes the place of a memory's."""

    text: Words


@blueprint.get("/api/memory")
def listed() -> Response:
    """A user's memories that hold, newest first; `next` is the cursor of the page after, or null."""
    queries.known_only("limit", "cursor", "userId", "kind")
    limit = queries.integer("limit", 50, least=1, most=200)
    found = upkeep.recent(
        authentication.caller().tenant,
        request.args.get("userId") or DEFAULT_USER,
        limit=limit + 1,
        kind=queries.choice("kind", ["message", "episode", "fact", "note"]),
        before=queries.cursor(),
    )
    page = found[:limit]
    following = queries.cursor_of(page[-1].at, page[-1].id) if len(found) > limit else None
    return wire.reply({"items": [_memory(each) for each in page], "next": following})


@blueprint.put("/api/memory/<memory_id>")
def correct(memory_id: str) -> Response:
    """Supersede a memory by one with another text. Answers 201 with its id; the old one is kept, not found."""
    asked, _ = bodies.read(Correction)
    made = upkeep.correct(authentication.caller().tenant, _parsed(memory_id), asked.text)
    phases.ring_embedding()
    return wire.reply({"id": str(made), "supersedes": memory_id}, status=201)


@blueprint.delete("/api/memory/<memory_id>")
def forget(memory_id: str) -> Response:
    """Delete a memory for good, with its embedding. Answers 204."""
    memories.forget(authentication.caller().tenant, _parsed(memory_id))
    return Response(status=204)


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


def _parsed(memory_id: str) -> UUID:
    try:
        return UUID(memory_id)
    except ValueError as error:
        raise NotFound(f"There is no memory {memory_id!r}.") from error


def _memory(memory: memories.Memory) -> dict[str, Any]:
    return {
        "id": str(memory.id),
        "text": memory.text,
        "kind": memory.kind,
        "at": clock.to_wire(memory.at),
        "metadata": memory.details,
        "conversationId": memory.conversation_id,
        "source": {
            "runId": str(memory.source_run) if memory.source_run else None,
            "stepId": memory.source_step,
            "trusted": memory.trusted,
        },
    }
