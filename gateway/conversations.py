"""/api/conversations: list, read, rename, fork, forget."""

from typing import Annotated
from uuid import uuid4

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, wire
from gateway.declare import Page
from gateway.fields import DIGITS, MOST, Name, Time
from gateway.fields import Id as RunId
from services import clock
from services.journal import conversations
from services.journal.conversations import Conversation, Listed, Message

blueprint = Blueprint("conversations", __name__)

Id = Annotated[str, Field(min_length=1, max_length=200)]


class Rename(bodies.Body):
    """title: null takes it away."""

    title: Annotated[str, Field(max_length=200)] | None


class ConversationFork(bodies.Body):
    """id: of the new one. upto: the number of the last message that it gets."""

    id: Id | None = None
    upto: Annotated[int, Field(ge=1, le=MOST)] | None = None


class Number(queries.Query):
    """A place in a list of messages."""

    limit: int = queries.limit(100, 1_000)
    cursor: Annotated[int, Field(ge=0, le=MOST, description="The `next` of the page before."), DIGITS] = 0


class Wanted(queries.Query):
    """Which conversations."""

    user_id: Name | None = None
    limit: int = queries.limit(50, 200)
    cursor: Annotated[int, Field(ge=0, le=MOST, description="The `next` of the page before."), DIGITS] | None = None


class ShownConversation(TypedDict):
    """A thread of messages that runs belong to."""

    id: str
    title: str | None
    userId: str
    createdAt: Time


class SpokenMessage(TypedDict):
    """Something that was said. workflowId: by or to which run."""

    id: str
    role: str
    text: str
    workflowId: RunId | None
    at: Time


class ListedConversation(ShownConversation):
    """A conversation with the number of its messages, the first one and the last."""

    messages: int
    first: SpokenMessage
    last: SpokenMessage


class ForgottenTalk(TypedDict):
    """How many messages are gone."""

    id: str
    forgotten: int


@blueprint.get("/api/conversations")
@declare.operation(query=Wanted, gives=Page[ListedConversation])
def listed() -> Response:
    """Conversations, the last spoken in first; `userId` narrows it."""
    asked = queries.read(Wanted)
    found = conversations.listed(_tenant(), user_id=asked.user_id, limit=asked.limit + 1, before=asked.cursor)
    return wire.reply(queries.page(found, asked.limit, _listed, lambda one: str(one.last.id)))


@blueprint.get("/api/conversations/<conversation_id>")
@declare.operation(gives=ShownConversation)
def show(conversation_id: str) -> Response:
    """One conversation."""
    return wire.reply(_shown(conversations.get(_tenant(), conversation_id)))


@blueprint.get("/api/conversations/<conversation_id>/messages")
@declare.operation(query=Number, gives=Page[SpokenMessage])
def history(conversation_id: str) -> Response:
    """Its messages, oldest first."""
    asked = queries.read(Number)
    conversations.get(_tenant(), conversation_id)
    found = conversations.history(_tenant(), conversation_id, limit=asked.limit + 1, after=asked.cursor)
    return wire.reply(queries.page(found, asked.limit, _message, lambda message: str(message.id)))


@blueprint.patch("/api/conversations/<conversation_id>")
@declare.operation(takes=Rename, gives=ShownConversation, example={"title": "Refunds in May"})
def rename(conversation_id: str) -> Response:
    """Give it a title."""
    asked, _ = bodies.read(Rename)
    return wire.reply(_shown(conversations.rename(_tenant(), conversation_id, asked.title)))


@blueprint.post("/api/conversations/<conversation_id>/fork")
@declare.operation(takes=ConversationFork, optional=True, gives={201: ShownConversation})
def fork(conversation_id: str) -> Response:
    """A new conversation that begins with what was said in this one."""
    asked = bodies.read_or_default(ConversationFork)
    made = conversations.fork(_tenant(), conversation_id, asked.id or str(uuid4()), upto=asked.upto)
    return wire.reply(_shown(made), status=201)


@blueprint.delete("/api/conversations/<conversation_id>")
@declare.operation(gives=ForgottenTalk)
def forget(conversation_id: str) -> Response:
    """Forget what was said in it; its runs stay."""
    return wire.reply({"id": conversation_id, "forgotten": conversations.forget(_tenant(), conversation_id)})


def _listed(one: Listed) -> ListedConversation:
    return {
        **_shown(one.conversation),
        "messages": one.messages,
        "first": _message(one.first),
        "last": _message(one.last),
    }


def _shown(found: Conversation) -> ShownConversation:
    return {
        "id": found.id,
        "title": found.title,
        "userId": found.user_id,
        "createdAt": clock.to_wire(found.created_at),
    }


def _message(message: Message) -> SpokenMessage:
    return {
        "id": str(message.id),
        "role": message.role,
        "text": message.text,
        "workflowId": str(message.run_id) if message.run_id else None,
        "at": clock.to_wire(message.at),
    }


def _tenant() -> str:
    return authentication.caller().tenant
