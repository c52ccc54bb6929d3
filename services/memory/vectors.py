"""Vectors of memories, kept apart by the model that made them, and the queue of what still has to be embedded.

One model is active: searches use it. One may be building beside it (reembedding.py); retired ones are used by nobody.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, Text, func, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, Session, mapped_column

from services import clock, database
from services.memory import embedders
from services.memory.embedding import Embedded

_LOOK_AGAIN = 2.0  # seconds for which a process trusts what it knows of the active model
_MODELS_LOCK = 7_305_812  # any number, as long as every release uses the same
_known: tuple[float, str] | None = None


class EmbeddingModel(database.Base):
    """A model that memories have vectors of. space: `<model>:<dimensions>`, known from its first vector on."""

    __tablename__ = "embedding_models"

    model: Mapped[str] = mapped_column(Text, primary_key=True)
    space: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (
        CheckConstraint("state in ('active', 'building', 'retired')", name="state"),
        Index("ix_embedding_models_active", "state", unique=True, postgresql_where=sql("state = 'active'")),
    )


class MemoryVector(database.Base):
    """What a memory means, in one space. tenant and owner are the memory's: an index walk meets nobody else's."""

    __tablename__ = "memory_vectors"

    memory_id: Mapped[UUID] = mapped_column(ForeignKey("memories.id", ondelete="CASCADE"), primary_key=True)
    space: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)
    embedding: Mapped[Any] = mapped_column(HALFVEC)

    __table_args__ = (Index("ix_memory_vectors_owner", "tenant", "owner", "space"),)


class ToEmbed(database.Base):
    """A memory that has no vector of this model yet."""

    __tablename__ = "memories_to_embed"

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    memory_id: Mapped[UUID] = mapped_column(ForeignKey("memories.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(Text, primary_key=True)

    __table_args__ = (Index(None, "model", "position"),)


def active() -> str:
    """The model that searches use: the configured one at first, another one after a reembedding."""
    global _known
    now = clock.monotonic()
    if _known is None or now - _known[0] > _LOOK_AGAIN:
        with database.session() as session:
            _known = (now, _active_in(session))
    return _known[1]


def _active_in(session: Session) -> str:
    query = select(EmbeddingModel.model).where(EmbeddingModel.state == "active")
    model = session.scalar(query)
    if model is None:
        first = sql("insert into embedding_models (model, state) values (:model, 'active') on conflict do nothing")
        session.execute(first, {"model": embedders.configured()})
        model = session.scalar(query)
    return model or embedders.configured()


def active_space() -> str | None:
    """The space of the active model; None before its first vector."""
    with database.session() as session:
        return session.scalar(select(EmbeddingModel.space).where(EmbeddingModel.state == "active"))


def forget_active() -> None:
    """Let this process look anew which model is active."""
    global _known
    _known = None


def hold_models(session: Session) -> None:
    """Before memories are added: the models stay as they are until the transaction ends, so none is left out."""
    if _known is None:
        _active_in(session)
    session.execute(sql("select pg_advisory_xact_lock_shared(:lock)"), {"lock": _MODELS_LOCK})


def change_models(session: Session) -> None:
    """Before the models change: wait for who is adding memories, and let nobody add until the transaction ends."""
    session.execute(sql("select pg_advisory_xact_lock(:lock)"), {"lock": _MODELS_LOCK})


# A turn is embedded together with the turn before it (design.md §9, window vectors). Several workers may ask at once:
# each locks its own rows, and a worker that dies gives them back.
_PENDING = sql("""
    select q.memory_id as id, m.tenant, m.owner, m.text, before.text as text_before
    from memories_to_embed q
    join memories m on m.id = q.memory_id
    left join lateral (
        select b.text from memories b
        where b.tenant = m.tenant and b.owner = m.owner and b.thread = m.thread
          and (b.at, b.position) < (m.at, m.position) and b.at > m.at - interval '1 hour'
        order by b.at desc, b.position desc limit 1
    ) before on true
    where q.model = :model and (cast(:ids as uuid[]) is null or q.memory_id = any(cast(:ids as uuid[])))
    order by q.position limit :limit
    for update of q skip locked
""")
_WRITE = sql("""
    insert into memory_vectors (memory_id, space, tenant, owner, embedding)
    select m.id, :space, m.tenant, m.owner, new.vector::halfvec
    from unnest(cast(:ids as uuid[]), cast(:vectors as text[])) as new (id, vector)
    join memories m on m.id = new.id
    on conflict (memory_id, space) do update set embedding = excluded.embedding
""")
_DONE = sql("delete from memories_to_embed where model = :model and memory_id = any(cast(:ids as uuid[]))")
_NAME_SPACE = sql("update embedding_models set space = :space where model = :model and space is distinct from :space")


def embed_pending(limit: int = 64, *, model: str | None = None) -> int:
    """Embed up to `limit` memories that have no vector yet, oldest first; returns how many were done.

    model: by this one; by the active one if None. Raises Unavailable when the embedder can't work: the memories stay
    pending and are found by their words alone.
    """
    return _embed(model or active(), limit, None)


def any_pending() -> bool:
    """Whether some memory waits for a vector, of whichever model."""
    with database.session() as session:
        return session.scalar(select(ToEmbed.memory_id).limit(1)) is not None


def embed(ids: Sequence[UUID]) -> int:
    """Embed these memories now, those of them that have no vector yet. Raises Unavailable as embed_pending does."""
    return _embed(active(), len(ids), list(ids))


def _embed(model: str, limit: int, ids: list[UUID] | None) -> int:
    with database.session() as session:
        rows = session.execute(_PENDING, {"limit": limit, "ids": ids, "model": model}).all()
        if rows:
            embedded = embedders.named(model).embed([_window(row) for row in rows])
            done = [row.id for row in rows]
            _write(session, done, embedded)
            session.execute(_DONE, {"model": model, "ids": done})
            session.execute(_NAME_SPACE, {"model": model, "space": embedded.space})
    return len(rows)


def set_vectors(ids: Sequence[UUID], embedded: Embedded) -> None:
    """Give memories their vectors of one space, in the same order: for who embeds elsewhere."""
    model = embedded.space.rpartition(":")[0]
    with database.session() as session:
        _write(session, list(ids), embedded)
        session.execute(_DONE, {"model": model, "ids": list(ids)})
        session.execute(_NAME_SPACE, {"model": model, "space": embedded.space})


def _write(session: Session, ids: list[UUID], embedded: Embedded) -> None:
    session.execute(_WRITE, {"space": embedded.space, "ids": ids, "vectors": embedded.as_text()})


def spaces_of(memory_id: UUID) -> list[str]:
    """The spaces in which a memory has a vector."""
    query = select(MemoryVector.space).where(MemoryVector.memory_id == memory_id).order_by(MemoryVector.space)
    with database.session() as session:
        return list(session.scalars(query))


def embed_query(query: list[str]) -> Embedded:
    """Vectors of a search, by the active model. Raises Unavailable."""
    return embedders.named(active()).embed(query)


def _window(row: Any) -> str:
    """The text whose vector stands for a memory; the day and speaker are left to the lexical leg."""
    return f"{row.text_before}\n{row.text}" if row.text_before else row.text
