"""Memories: what outlives a run. The table; adding, embedding, reading and forgetting. Finding them: retrieval.py."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID, uuid4

import orjson
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    BigInteger,
    Boolean,
    Computed,
    DateTime,
    Identity,
    Index,
    Text,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from services import clock, database
from services.errors import NotFound
from services.memory import embedders, turns
from services.memory.embedding import Embedded


class Memory(database.Base):
    """Something worth remembering about a user. `kind`: message, episode, fact or note.

    speaker, thread and context are read from the metadata when it is stored (turns.py); position orders what has the
    same `at`. embedding lives in the space `embedding_model`; both are empty until a worker has embedded the text.
    """

    __tablename__ = "memories"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    user_id: Mapped[str] = mapped_column(Text)
    conversation_id: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    speaker: Mapped[str | None] = mapped_column(Text)
    thread: Mapped[str | None] = mapped_column(Text)
    context: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default=sql("'{}'"))
    source_run: Mapped[UUID | None] = mapped_column()
    source_step: Mapped[str | None] = mapped_column(Text)
    trusted: Mapped[bool] = mapped_column(Boolean, server_default=sql("true"))
    lexemes: Mapped[Any] = mapped_column(
        TSVECTOR, Computed("to_tsvector('english', context || ' ' || text)", persisted=True)
    )
    embedding: Mapped[Any] = mapped_column(HALFVEC, nullable=True)
    embedding_model: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    valid_to: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        # one owner's memories: every search, and lists newest first
        Index(None, "tenant", "user_id", "at"),
        # the turn before this one
        Index("ix_memories_thread", "tenant", "user_id", "thread", "at", "position"),
        # what still has to be embedded
        Index("ix_memories_unembedded", "position", postgresql_where=sql("embedding_model is null")),
    )


class Details(TypedDict, total=False):
    """What may be said of a memory besides its text; NewMemory explains each."""

    kind: str
    at: datetime | None
    conversation_id: str | None
    metadata: dict[str, Any] | None
    source_run: UUID | None
    source_step: str | None
    trusted: bool
    id: UUID | None


@dataclass(frozen=True)
class NewMemory:
    """A memory to be stored.

    at: when it was said or happened, timezone-aware; now if None. metadata: any JSON object; `speaker`, `session` and
    `caption` have a meaning (turns.py). source_run, source_step: who wrote it. trusted: False for text from outside.
    id: give one to store it at most once; an id that exists already is left as it is.
    """

    user_id: str
    text: str
    kind: str = "note"
    at: datetime | None = None
    conversation_id: str | None = None
    metadata: dict[str, Any] | None = field(default_factory=dict)
    source_run: UUID | None = None
    source_step: str | None = None
    trusted: bool = True
    id: UUID | None = None


# All rows in one statement; the order of the arrays is the order of the turns.
_INSERT = sql("""
    insert into memories (id, tenant, user_id, conversation_id, kind, text, at, speaker, thread, context, metadata,
                          source_run, source_step, trusted)
    select id, :tenant, user_id, conversation_id, kind, text, at, speaker, thread, context, metadata::jsonb,
           source_run, source_step, trusted
    from unnest(cast(:id as uuid[]), cast(:user_id as text[]), cast(:conversation_id as text[]),
                cast(:kind as text[]), cast(:text as text[]), cast(:at as timestamptz[]), cast(:speaker as text[]),
                cast(:thread as text[]), cast(:context as text[]), cast(:metadata as text[]),
                cast(:source_run as uuid[]), cast(:source_step as text[]), cast(:trusted as boolean[]))
         with ordinality as new (id, user_id, conversation_id, kind, text, at, speaker, thread, context, metadata,
                                 source_run, source_step, trusted, ordinal)
    order by ordinal
    on conflict (id) do nothing
""")
_COLUMNS = (
    *("id", "user_id", "conversation_id", "kind", "text", "at", "speaker", "thread", "context", "metadata"),
    *("source_run", "source_step", "trusted"),
)


def add(tenant: str, user_id: str, text: str, **details: Unpack[Details]) -> UUID:
    """Store one memory and return its id. It is found by its words at once, by its meaning once embedded."""
    return add_many(tenant, [NewMemory(user_id, text, **details)])[0]


def add_many(tenant: str, memories: Iterable[NewMemory]) -> list[UUID]:
    """Store many memories, turns of a talk in their order, in one transaction; returns their ids in that order."""
    rows = [_row(memory) for memory in memories]
    if rows:
        with database.session() as session:
            session.execute(_INSERT, {"tenant": tenant, **{name: [row[name] for row in rows] for name in _COLUMNS}})
    return [row["id"] for row in rows]


def _row(memory: NewMemory) -> dict[str, Any]:
    metadata = memory.metadata or {}
    text = memory.text.replace("\x00", "")  # Postgres takes no NUL in text
    at = memory.at or clock.now()
    talk = memory.conversation_id if memory.source_run is None or memory.kind == "message" else None
    setting = turns.read(text, at=at, is_message=memory.kind == "message", conversation_id=talk, metadata=metadata)
    return {
        "id": memory.id or uuid4(),
        "user_id": memory.user_id,
        "conversation_id": memory.conversation_id,
        "kind": memory.kind,
        "text": text,
        "at": at,
        "speaker": setting.speaker,
        "thread": setting.thread,
        "context": setting.context,
        "metadata": orjson.dumps(metadata).decode(),
        "source_run": memory.source_run,
        "source_step": memory.source_step,
        "trusted": memory.trusted,
    }


def get(tenant: str, memory_id: UUID) -> Memory:
    """One memory. Raises NotFound when this tenant has none with that id."""
    query = select(Memory).where(Memory.tenant == tenant, Memory.id == memory_id)
    with database.session() as session:
        found = session.scalar(query.options(defer(Memory.embedding), defer(Memory.lexemes)))
    if found is None:
        raise NotFound(f"There is no memory {memory_id}.")
    return found


def is_stored(tenant: str, memory_id: UUID) -> bool:
    """Whether this tenant has a memory with that id."""
    with database.session() as session:
        return session.scalar(select(Memory.id).where(Memory.tenant == tenant, Memory.id == memory_id)) is not None


def supersede(tenant: str, user_id: str, *, by: UUID, request_key: str) -> None:
    """End the validity of the user's other episodes of that request: `by` is the newest word on it."""
    with database.session() as session:
        session.execute(
            update(Memory)
            .where(Memory.tenant == tenant, Memory.user_id == user_id, Memory.kind == "episode", Memory.id != by)
            .where(Memory.valid_to.is_(None), Memory.details["request_key"].astext == request_key)
            .values(valid_to=func.now())
        )


def listed(
    tenant: str, user_id: str, *, limit: int = 50, kinds: Sequence[str] | None = None, before: datetime | None = None
) -> list[Memory]:
    """A user's memories, newest first; `before` continues a list."""
    query = select(Memory).where(Memory.tenant == tenant, Memory.user_id == user_id)
    if kinds is not None:
        query = query.where(Memory.kind.in_(kinds))
    if before is not None:
        query = query.where(Memory.at < before)
    query = query.order_by(Memory.at.desc(), Memory.position.desc()).limit(limit)
    with database.session() as session:
        return list(session.scalars(query.options(defer(Memory.embedding), defer(Memory.lexemes))))


def forget(tenant: str, memory_id: UUID) -> None:
    """Delete a memory with its embedding. Raises NotFound when this tenant has none with that id."""
    with database.session() as session:
        gone = session.execute(
            delete(Memory).where(Memory.tenant == tenant, Memory.id == memory_id).returning(Memory.id)
        ).first()
    if gone is None:
        raise NotFound(f"There is no memory {memory_id}.")


# A turn is embedded together with the turn before it (design.md §9, window vectors). Several workers may ask at once:
# each locks its own rows, and a worker that dies gives them back.
_PENDING = sql("""
    select m.id, m.text, m.speaker, m.context, before.text as text_before
    from memories m
    left join lateral (
        select b.text from memories b
        where b.tenant = m.tenant and b.user_id = m.user_id and b.thread = m.thread
          and (b.at, b.position) < (m.at, m.position) and b.at > m.at - interval '1 hour'
        order by b.at desc, b.position desc limit 1
    ) before on true
    where m.embedding_model is null and (cast(:ids as uuid[]) is null or m.id = any(cast(:ids as uuid[])))
    order by m.position limit :limit
    for update of m skip locked
""")
_EMBEDDED = sql("""
    update memories set embedding = new.vector::halfvec, embedding_model = :space
    from unnest(cast(:id as uuid[]), cast(:vector as text[])) as new (id, vector)
    where memories.id = new.id
""")


def embed_pending(limit: int = 64) -> int:
    """Embed up to `limit` memories that have no vector yet, oldest first; returns how many were done.

    Raises Unavailable when the embedder can't work: the memories stay pending and are found by their words alone.
    """
    return _embed(limit, None)


def any_pending() -> bool:
    """Whether some memory has no vector yet."""
    with database.session() as session:
        return bool(session.scalar(select(exists().where(Memory.embedding_model.is_(None)))))


def embed(ids: Sequence[UUID]) -> int:
    """Embed these memories now, those of them that have no vector yet. Raises Unavailable as embed_pending does."""
    return _embed(len(ids), list(ids))


def _embed(limit: int, ids: list[UUID] | None) -> int:
    with database.session() as session:
        rows = session.execute(_PENDING, {"limit": limit, "ids": ids}).all()
        if rows:
            embedded = embedders.current().embed([_window(row) for row in rows])
            _write_vectors(session, [row.id for row in rows], embedded)
    return len(rows)


def set_vectors(ids: Sequence[UUID], embedded: Embedded) -> None:
    """Give memories their vectors, in the same order: for who embeds elsewhere, or moves to another model."""
    with database.session() as session:
        _write_vectors(session, list(ids), embedded)


def _write_vectors(session: Session, ids: list[UUID], embedded: Embedded) -> None:
    session.execute(_EMBEDDED, {"space": embedded.space, "id": ids, "vector": embedded.as_text()})


def _window(row: Any) -> str:
    """The text whose vector stands for a memory; the day and speaker are left to the lexical leg."""
    return f"{row.text_before}\n{row.text}" if row.text_before else row.text
