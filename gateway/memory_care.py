"""/api/memory/…: list, look at, correct, forget, review, carry to another system, move to another embedding model."""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

import orjson
from flask import Blueprint, Response, request
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, memory, queries, wire
from gateway.declare import NDJSON, Page, Text
from gateway.fields import Flag, Id, Moment, Name
from gateway.memory import MemoryInFull, Stored
from services.errors import BadInput, NotFound
from services.memory import care, memories, reembedding, transfer
from services.memory.reembedding import Progress
from services.pipeline import phases

blueprint = Blueprint("memory_care", __name__)
LINES = Text(NDJSON, "One memory a line, each a JSON object.")


class Correction(bodies.Body):
    """What takes a memory's place, and from when on it holds (now)."""

    text: memory.Words
    at: Moment | None = None


class ForgetRequest(bodies.Body):
    """The run whose memories are to go."""

    run_id: Annotated[str, Field(min_length=1, max_length=64)]


class ReembedRequest(bodies.Body):
    """The model to move to; the configured one if left out."""

    model: Name | None = None


class Wanted(queries.Query):
    """Whose memories. all: also what is not found any more."""

    user_id: Name = memory.DEFAULT_USER
    kind: memory.Kind | None = None
    all: Flag = False
    limit: int = queries.limit(50, 200)
    cursor: queries.Cursor | None = None


class Quarantined(queries.Query):
    """Whose memories that wait for review."""

    user_id: Name | None = None
    limit: int = queries.limit(50, 200)
    cursor: UUID | None = None


class OfUser(queries.Query):
    """Whose memories; everybody's if left out."""

    user_id: Name | None = None


class MemoryWhy(MemoryInFull):
    """A memory with where it comes from, whether it is found, and what was made of it."""

    state: str
    why: str
    spaces: list[str]
    derived: list[Id]
    history: list[Id]


class ForgottenMemories(TypedDict):
    """The ids of what is gone."""

    forgotten: list[Id]


class Imported(TypedDict):
    """How many lines there were, and how many of them were not there already."""

    imported: int
    lines: int


class Moving(TypedDict):
    """The model that memories are moved to."""

    model: str


@blueprint.get("/api/memory")
@declare.operation(query=Wanted, gives=Page[MemoryInFull])
def listed() -> Response:
    """A user's memories and the tenant's shared ones, newest first; all=1 shows what is not found any more, too."""
    asked = queries.read(Wanted)
    found = memories.listed(
        authentication.caller().tenant,
        asked.user_id,
        limit=asked.limit + 1,
        kinds=[asked.kind] if asked.kind else None,
        before=queries.place(asked.cursor),
        every=asked.all,
    )
    return wire.reply(queries.page(found, asked.limit, memory.in_full, lambda one: queries.cursor_of(one.at, one.id)))


@blueprint.get("/api/memory/<memory_id>")
@declare.operation(gives=MemoryWhy)
def why(memory_id: str) -> Response:
    """A memory with where it comes from, whether it is found, and what was made of it."""
    answer = care.why(authentication.caller().tenant, _id(memory_id))
    return wire.reply(
        {
            **memory.in_full(answer.memory),
            "state": answer.state,
            "why": answer.sentence,
            "spaces": answer.spaces,
            "derived": [str(one) for one in answer.derived],
            "history": [str(one) for one in answer.history],
        }
    )


@blueprint.get("/api/memory/<memory_id>/history")
@declare.operation(gives=Page[MemoryInFull])
def history(memory_id: str) -> Response:
    """A memory with what it superseded and what superseded it, oldest first."""
    chain = care.history(authentication.caller().tenant, _id(memory_id))
    return wire.reply(queries.all_of(chain, memory.in_full))


@blueprint.post("/api/memory/<memory_id>/supersede")
@declare.operation(takes=Correction, gives={201: Stored}, example={"text": "Ada prefers long answers."})
def supersede(memory_id: str) -> Response:
    """Put another text in a memory's place; the old one stays as history."""
    asked, _ = bodies.read(Correction)
    new = care.supersede(authentication.caller().tenant, _id(memory_id), asked.text, at=asked.at)
    phases.ring_embedding()
    return wire.reply({"id": str(new)}, status=201)


@blueprint.delete("/api/memory/<memory_id>")
@declare.operation(gives=ForgottenMemories)
def forget(memory_id: str) -> Response:
    """Delete a memory, its vectors, and what was derived from it."""
    gone = care.forget(authentication.caller().tenant, _id(memory_id))
    return wire.reply({"forgotten": [str(one) for one in gone]})


@blueprint.post("/api/memory/forget")
@declare.operation(takes=ForgetRequest, gives=ForgottenMemories)
def forget_run() -> Response:
    """Delete all that a run left; what it had superseded holds again."""
    asked, _ = bodies.read(ForgetRequest)
    gone = care.forget_run(authentication.caller().tenant, _id(asked.run_id))
    return wire.reply({"forgotten": [str(one) for one in gone]})


@blueprint.get("/api/memory/quarantine")
@declare.operation(query=Quarantined, gives=Page[MemoryInFull])
def quarantine() -> Response:
    """What waits for a person's review, oldest first, of one user or of all."""
    asked = queries.read(Quarantined)
    found = care.quarantined(
        authentication.caller().tenant,
        user_id=asked.user_id,
        limit=asked.limit + 1,
        after=asked.cursor,
    )
    return wire.reply(queries.page(found, asked.limit, memory.in_full, lambda one: str(one.id)))


@blueprint.post("/api/memory/<memory_id>/release")
@declare.operation(gives=MemoryInFull)
def release(memory_id: str) -> Response:
    """Let a quarantined memory be found; DELETE it to reject it."""
    return wire.reply(memory.in_full(care.release(authentication.caller().tenant, _id(memory_id))))


@blueprint.get("/api/memory/export")
@declare.operation(query=OfUser, gives=LINES)
def export() -> Response:
    """Every memory of a user (or, without userId, of the tenant), one JSON object a line."""
    tenant, user = authentication.caller().tenant, queries.read(OfUser).user_id

    def lines() -> Iterator[bytes]:
        for line in transfer.exported(tenant, user):
            yield orjson.dumps(line) + b"\n"

    return Response(lines(), content_type="application/x-ndjson")


@blueprint.post("/api/memory/import")
@declare.operation(takes=LINES, gives={201: Imported})
def take_in() -> Response:
    """The lines of an export; an id that is there is left as it is. Nothing is taken in if a line is wrong."""
    rows = []
    for number, line in enumerate(request.get_data(cache=False).splitlines(), 1):
        if line.strip():
            try:
                rows.append(transfer.read(orjson.loads(line)))
            except (orjson.JSONDecodeError, ValueError) as error:
                raise BadInput(f"Line {number} can't be taken in: {error}.") from error
    taken = transfer.imported(authentication.caller().tenant, rows)
    phases.ring_embedding()
    return wire.reply({"imported": taken, "lines": len(rows)}, status=201)


@blueprint.get("/api/memory/embedding")
@declare.operation(gives=Page[Progress])
def embedding() -> Response:
    """Which embedding models there are vectors of, and how far a move is."""
    return wire.reply({"items": reembedding.progress(), "next": None})


@blueprint.post("/api/memory/reembed")
@declare.operation(takes=ReembedRequest, gives={202: Moving})
def reembed() -> Response:
    """Begin to move all memories to another embedding model; searches go on with the active one until it is done."""
    asked, _ = bodies.read(ReembedRequest)
    model = reembedding.begin(asked.model)
    phases.ring_embedding()
    return wire.reply({"model": model}, status=202)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(f"There is no memory {text[:80]}.") from error
