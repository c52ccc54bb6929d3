"""/api/memory/…: list, look at, correct, forget, review, carry to another system, move to another embedding model."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import orjson
from flask import Blueprint, Response, request
from pydantic import Field

from gateway import authentication, bodies, memory, queries, wire
from services.errors import BadInput, NotFound
from services.memory import care, memories, reembedding, transfer
from services.pipeline import phases

blueprint = Blueprint("memory_care", __name__)
KINDS = ["message", "episode", "fact", "note"]


class Correction(bodies.Body):
    """What takes a memory's place, and from when on it holds (now)."""

    text: memory.Words
    at: memory.Moment | None = None


class ForgetRequest(bodies.Body):
    """The run whose memories are to go."""

    run_id: Annotated[str, Field(min_length=1, max_length=64)]


class ReembedRequest(bodies.Body):
    """The model to move to; the configured one if left out."""

    model: memory.Name | None = None


@blueprint.get("/api/memory")
def listed() -> Response:
    """A user's memories and the tenant's shared ones, newest first; all=1 shows what is not found any more, too."""
    queries.known_only("userId", "kind", "limit", "cursor", "all")
    limit = queries.integer("limit", 50, least=1, most=200)
    kind = queries.choice("kind", KINDS)
    found = memories.listed(
        authentication.caller().tenant,
        request.args.get("userId", memory.DEFAULT_USER),
        limit=limit + 1,
        kinds=[kind] if kind else None,
        before=queries.cursor(),
        every=queries.choice("all", ["0", "1"]) == "1",
    )
    more = queries.cursor_of(found[limit - 1].at, found[limit - 1].id) if len(found) > limit else None
    return wire.reply({"items": [memory.in_full(one) for one in found[:limit]], "next": more})


@blueprint.get("/api/memory/<memory_id>")
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
def history(memory_id: str) -> Response:
    """A memory with what it superseded and what superseded it, oldest first."""
    chain = care.history(authentication.caller().tenant, _id(memory_id))
    return wire.reply({"items": [memory.in_full(one) for one in chain], "next": None})


@blueprint.post("/api/memory/<memory_id>/supersede")
def supersede(memory_id: str) -> Response:
    """Put another text in a memory's place; the old one stays as history."""
    asked, _ = bodies.read(Correction)
    new = care.supersede(authentication.caller().tenant, _id(memory_id), asked.text, at=asked.at)
    phases.ring_embedding()
    return wire.reply({"id": str(new)}, status=201)


@blueprint.delete("/api/memory/<memory_id>")
def forget(memory_id: str) -> Response:
    """Delete a memory, its vectors, and what was derived from it."""
    gone = care.forget(authentication.caller().tenant, _id(memory_id))
    return wire.reply({"forgotten": [str(one) for one in gone]})


@blueprint.post("/api/memory/forget")
def forget_run() -> Response:
    """Delete all that a run left; what it had superseded holds again."""
    asked, _ = bodies.read(ForgetRequest)
    gone = care.forget_run(authentication.caller().tenant, _id(asked.run_id))
    return wire.reply({"forgotten": [str(one) for one in gone]})


@blueprint.get("/api/memory/quarantine")
def quarantine() -> Response:
    """What waits for a person's review, oldest first, of one user or of all."""
    queries.known_only("userId", "limit", "after")
    limit = queries.integer("limit", 50, least=1, most=200)
    after = request.args.get("after")
    found = care.quarantined(
        authentication.caller().tenant,
        user_id=request.args.get("userId"),
        limit=limit + 1,
        after=_id(after) if after else None,
    )
    more = str(found[limit - 1].id) if len(found) > limit else None
    return wire.reply({"items": [memory.in_full(one) for one in found[:limit]], "next": more})


@blueprint.post("/api/memory/<memory_id>/release")
def release(memory_id: str) -> Response:
    """Let a quarantined memory be found; DELETE it to reject it."""
    return wire.reply(memory.in_full(care.release(authentication.caller().tenant, _id(memory_id))))


@blueprint.get("/api/memory/export")
def export() -> Response:
    """Every memory of a user (or, without userId, of the tenant), one JSON object a line."""
    queries.known_only("userId")
    tenant, user = authentication.caller().tenant, request.args.get("userId")

    def lines() -> Iterator[bytes]:
        for line in transfer.exported(tenant, user):
            yield orjson.dumps(line) + b"\n"

    return Response(lines(), content_type="application/x-ndjson")


@blueprint.post("/api/memory/import")
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
def embedding() -> Response:
    """Which embedding models there are vectors of, and how far a move is."""
    return wire.reply({"items": [asdict(one) for one in reembedding.progress()], "next": None})


@blueprint.post("/api/memory/reembed")
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
