"""/api/conversations: list, read, rename, fork, forget."""

from typing import Annotated, Any
from uuid import uuid4

from flask import Blueprint, Response, request
from pydantic import Field

from gateway import authentication, bodies, queries, wire
from services import clock
from services.journal import conversations
from services.journal.conversations import Conversation, Message

MOST = 9_007_199_254_740_991

blueprint = Blueprint("conversations", __name__)

Id = Annotated[str, Field(min_length=1, max_length=200)]


class Rename(bodies.Body):
    """title: null takes it away."""

    title: Annotated[str, Field(max_length=200)] | None


class Fork(bodies.Body):
    """id: of the new one. upto: the number of the last message that it gets."""

    id: Id | None = None
    upto: Annotated[int, Field(ge=1, le=MOST)] | None = None


@blueprint.get("/api/conversations")
def listed() -> Response:
    """Conversations, the last spoken in first; `userId` narrows it."""
    queries.known_only("userId", "limit", "cursor")
    limit = queries.integer("limit", 50, least=1, most=200)
    before = queries.integer("cursor", 0, least=0, most=MOST) if "cursor" in request.args else None
    found = conversations.listed(_tenant(), user_id=request.args.get("userId"), limit=limit + 1, before=before)
    page = found[:limit]
    items = [_shown(one.conversation) | {"messages": one.messages, "last": _message(one.last)} for one in page]
    return wire.reply({"items": items, "next": str(page[-1].last.id) if len(found) > limit else None})


@blueprint.get("/api/conversations/<conversation_id>")
def show(conversation_id: str) -> Response:
    """One conversation."""
    return wire.reply(_shown(conversations.get(_tenant(), conversation_id)))


@blueprint.get("/api/conversations/<conversation_id>/messages")
def history(conversation_id: str) -> Response:
    """Its messages, oldest first."""
    queries.known_only("limit", "cursor")
    conversations.get(_tenant(), conversation_id)
    limit = queries.integer("limit", 100, least=1, most=1_000)
    after = queries.integer("cursor", 0, least=0, most=MOST)
    found = conversations.history(_tenant(), conversation_id, limit=limit + 1, after=after)
    page = found[:limit]
    following = str(page[-1].id) if len(found) > limit else None
    return wire.reply({"items": [_message(message) for message in page], "next": following})


@blueprint.patch("/api/conversations/<conversation_id>")
def rename(conversation_id: str) -> Response:
    """Give it a title."""
    asked, _ = bodies.read(Rename)
    return wire.reply(_shown(conversations.rename(_tenant(), conversation_id, asked.title)))


@blueprint.post("/api/conversations/<conversation_id>/fork")
def fork(conversation_id: str) -> Response:
    """A new conversation that begins with what was said in this one."""
    asked = bodies.read(Fork)[0] if request.get_data() else Fork()
    made = conversations.fork(_tenant(), conversation_id, asked.id or str(uuid4()), upto=asked.upto)
    return wire.reply(_shown(made), status=201)


@blueprint.delete("/api/conversations/<conversation_id>")
def forget(conversation_id: str) -> Response:
    """Forget what was said in it; its runs stay."""
    return wire.reply({"id": conversation_id, "forgotten": conversations.forget(_tenant(), conversation_id)})


def _shown(found: Conversation) -> dict[str, Any]:
    return {
        "id": found.id,
        "title": found.title,
        "userId": found.user_id,
        "createdAt": clock.to_wire(found.created_at),
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "role": message.role,
        "text": message.text,
        "workflowId": str(message.run_id) if message.run_id else None,
        "at": clock.to_wire(message.at),
    }


def _tenant() -> str:
    return authentication.caller().tenant
