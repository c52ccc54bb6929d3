"""Conversations: the threads of messages that runs belong to; services/memory/short_term.py reads them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Text,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, aliased, mapped_column

from services import database
from services.errors import Conflict, NotFound


class Conversation(database.Base):
    """A thread. Its id is the caller's own, or made by us; it is unique within a tenant."""

    __tablename__ = "conversations"

    tenant: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Message(database.Base):
    """What was said. `role`: user or assistant."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    conversation_id: Mapped[str] = mapped_column(Text)
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (
        ForeignKeyConstraint(["tenant", "conversation_id"], ["conversations.tenant", "conversations.id"]),
        # the last N of a conversation
        Index(None, "tenant", "conversation_id", "id"),
        Index(None, "run_id"),
    )


@dataclass(frozen=True)
class Listed:
    """A conversation with how many messages it has, the first one and the last."""

    conversation: Conversation
    messages: int
    first: Message
    last: Message


def listed(tenant: str, *, user_id: str | None, limit: int, before: int | None = None) -> list[Listed]:
    """Conversations with a message, the last spoken in first; `before` is the last message of the page before."""
    newest = (
        select(
            Message.conversation_id,
            func.min(Message.id).label("first"),
            func.max(Message.id).label("last"),
            func.count().label("count"),
        )
        .where(Message.tenant == tenant)
        .group_by(Message.conversation_id)
        .subquery()
    )
    first, last = aliased(Message), aliased(Message)
    query = (
        select(Conversation, newest.c.count, first, last)
        .join(newest, Conversation.id == newest.c.conversation_id)
        .join(first, first.id == newest.c.first)
        .join(last, last.id == newest.c.last)
        .where(Conversation.tenant == tenant)
        .order_by(newest.c.last.desc())
        .limit(limit)
    )
    if user_id is not None:
        query = query.where(Conversation.user_id == user_id)
    if before is not None:
        query = query.where(newest.c.last < before)
    with database.session() as session:
        return [Listed(*row) for row in session.execute(query)]


def get(tenant: str, conversation_id: str) -> Conversation:
    """The conversation. Raises NotFound."""
    with database.session() as session:
        found = session.get(Conversation, (tenant, conversation_id))
    if found is None:
        raise NotFound(f"There is no conversation {conversation_id[:80]!r}.")
    return found


def history(tenant: str, conversation_id: str, *, limit: int, after: int = 0) -> list[Message]:
    """Its messages after the one numbered `after`, oldest first."""
    ours = (Message.tenant == tenant, Message.conversation_id == conversation_id, Message.id > after)
    with database.session() as session:
        return list(session.scalars(select(Message).where(*ours).order_by(Message.id).limit(limit)))


def rename(tenant: str, conversation_id: str, title: str | None) -> Conversation:
    """Give it a title. Raises NotFound."""
    get(tenant, conversation_id)
    with database.session() as session:
        found = session.get_one(Conversation, (tenant, conversation_id))
        found.title = title
    return found


def fork(tenant: str, conversation_id: str, new_id: str, *, upto: int | None) -> Conversation:
    """A new conversation with its messages, up to the one numbered `upto`. Raises NotFound; Conflict for a taken id."""
    source = get(tenant, conversation_id)
    row = {"tenant": tenant, "id": new_id, "user_id": source.user_id, "title": source.title}
    with database.session() as session:
        made = session.execute(insert(Conversation).values(row).on_conflict_do_nothing().returning(Conversation.id))
        if made.first() is None:
            raise Conflict(f"There is a conversation {new_id!r} already.")
        wanted = [Message.tenant == tenant, Message.conversation_id == conversation_id]
        if upto is not None:
            wanted.append(Message.id <= upto)
        said = session.scalars(select(Message).where(*wanted).order_by(Message.id))
        for message in said.all():
            session.add(
                Message(tenant=tenant, conversation_id=new_id, role=message.role, text=message.text, at=message.at)
            )
            session.flush()  # their numbers follow their order
    return get(tenant, new_id)


def forget(tenant: str, conversation_id: str) -> int:
    """Delete its messages (its runs stay, without them); returns how many. Raises NotFound."""
    get(tenant, conversation_id)
    ours = (Message.tenant == tenant, Message.conversation_id == conversation_id)
    with database.session() as session:
        gone = session.execute(delete(Message).where(*ours).returning(Message.id)).all()
    return len(gone)


def withdraw(tenant: str, run_id: str) -> None:
    """Take what a run said, and was asked, out of its conversation."""
    with database.session() as session:
        session.execute(delete(Message).where(Message.tenant == tenant, Message.run_id == UUID(run_id)))
