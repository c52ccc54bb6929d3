"""Memories: what outlives a run. The table; adding, reading and listing. Finding them: retrieval.py."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID, uuid4

import orjson
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    Identity,
    Index,
    Integer,
    Text,
    func,
    or_,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from services import clock, database
from services.errors import BadInput, NotFound
from services.memory import gate, scopes, turns, vectors

TRUSTED = ("person", "agent")


class Memory(database.Base):
    """Something worth remembering. `kind`: message, episode, fact or note; `trust`: who says so, person, agent or
    outside (a page, another system).

    owner: the key of whose it is (scopes.py). speaker, thread and context are read from the metadata when it is stored
    (turns.py); position orders what has the same `at`. It holds from valid_from until valid_to; superseded_by took its
    place. A quarantined memory is found by nobody until a person released it. derived_from: the memory it was made of.
    """

    __tablename__ = "memories"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text, server_default="user")
    user_id: Mapped[str] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(Text)
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
    source_url: Mapped[str | None] = mapped_column(Text)
    derived_from: Mapped[UUID | None] = mapped_column()
    trust: Mapped[str] = mapped_column(Text, server_default="person")
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    valid_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    valid_to: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    superseded_by: Mapped[UUID | None] = mapped_column()
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    use_count: Mapped[int] = mapped_column(Integer, server_default="0")
    quarantined_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    quarantine_reason: Mapped[str | None] = mapped_column(Text)
    fingerprint: Mapped[int] = mapped_column(BigInteger, server_default="0")
    fact_key: Mapped[str | None] = mapped_column(Text)
    # the owner is one of the words, so that one index finds an owner's words without looking at anybody else's
    lexemes: Mapped[Any] = mapped_column(
        TSVECTOR,
        Computed(
            "to_tsvector('english', context || ' ' || text)"
            " || array_to_tsvector(array['@' || md5(tenant || '/' || owner)])",
            persisted=True,
        ),
    )

    __table_args__ = (
        CheckConstraint("scope in ('tenant', 'user', 'agent', 'conversation')", name="scope"),
        CheckConstraint("trust in ('person', 'agent', 'outside')", name="trust"),
        # one owner's memories: searches, and lists newest first
        Index(None, "tenant", "owner", "at"),
        # searches of few kinds
        Index(None, "tenant", "owner", "kind"),
        # the turns around this one
        Index(
            "ix_memories_thread",
            *("tenant", "owner", "thread", "at", "position"),
            postgresql_where=sql("thread is not null"),
        ),
        # searches in one conversation
        Index(
            "ix_memories_conversation", "tenant", "conversation_id", postgresql_where=sql("conversation_id is not null")
        ),
        # what a run left, and what was made of it
        Index("ix_memories_run", "source_run", postgresql_where=sql("source_run is not null")),
        Index("ix_memories_derived", "derived_from", postgresql_where=sql("derived_from is not null")),
        # history
        Index("ix_memories_superseded", "superseded_by", postgresql_where=sql("superseded_by is not null")),
        # what waits for a review
        Index(
            "ix_memories_quarantined", "tenant", "quarantined_at", postgresql_where=sql("quarantined_at is not null")
        ),
        # what contradicts a new fact, and what it repeats
        Index("ix_memories_fact", "tenant", "owner", "fact_key", postgresql_where=sql("fact_key is not null")),
        Index("ix_memories_fingerprint", "tenant", "owner", "fingerprint", postgresql_where=sql("kind <> 'message'")),
        # words
        Index("ix_memories_lexemes", "lexemes", postgresql_using="gin"),
    )

    @property
    def trusted(self) -> bool:
        """Whether it comes from a person or from our own agents, not from outside."""
        return self.trust in TRUSTED


class Details(TypedDict, total=False):
    """What may be said of a memory besides its text; NewMemory explains each."""

    kind: str
    at: datetime | None
    conversation_id: str | None
    metadata: dict[str, Any] | None
    source_run: UUID | None
    source_step: str | None
    source_url: str | None
    trust: str
    id: UUID | None
    scope: str
    agent: str | None
    expires_at: datetime | None
    valid_to: datetime | None
    derived_from: UUID | None
    fact_key: str | None
    from_outside: str | None


@dataclass(frozen=True)
class NewMemory:
    """A memory to be stored.

    at: when it was said or happened, and from when on it holds, timezone-aware; now if None. metadata: any JSON object;
    `speaker`, `session` and `caption` have a meaning (turns.py). source_run, source_step, source_url: where it comes
    from. trust: person, agent or outside; from outside, what reads like an instruction goes to quarantine. id: give one
    to store it at most once; an id that exists already is left as it is. scope: whose it is (scopes.py). fact_key:
    what it is a fact about; learning.py sets it. expires_at, valid_to: when it is found no more. from_outside: the part
    of the text that is from outside, when only a part is.
    """

    user_id: str
    text: str
    kind: str = "note"
    at: datetime | None = None
    conversation_id: str | None = None
    metadata: dict[str, Any] | None = field(default_factory=dict)
    source_run: UUID | None = None
    source_step: str | None = None
    source_url: str | None = None
    trust: str = "person"
    id: UUID | None = None
    scope: str = "user"
    agent: str | None = None
    expires_at: datetime | None = None
    valid_to: datetime | None = None
    derived_from: UUID | None = None
    fact_key: str | None = None
    from_outside: str | None = None


# Column by column, as the insert takes them; the order of the arrays is the order of the turns.
_TYPES = {
    **{"id": "uuid", "user_id": "text", "conversation_id": "text", "kind": "text", "text": "text", "at": "timestamptz"},
    **{"speaker": "text", "thread": "text", "context": "text", "metadata": "text", "source_run": "uuid"},
    **{"source_step": "text", "source_url": "text", "trust": "text", "scope": "text", "agent": "text", "owner": "text"},
    **{"expires_at": "timestamptz", "valid_to": "timestamptz", "derived_from": "uuid", "fact_key": "text"},
    **{"fingerprint": "bigint", "quarantined_at": "timestamptz", "quarantine_reason": "text"},
}
_NAMES = ", ".join(_TYPES)
_INSERT = sql(f"""
    with added as (
      insert into memories (tenant, valid_from, {_NAMES})
      select :tenant, at, {_NAMES.replace("metadata", "metadata::jsonb")}
      from unnest({", ".join(f"cast(:{name} as {kind}[])" for name, kind in _TYPES.items())})
           with ordinality as new ({_NAMES}, ordinal)
      order by ordinal
      on conflict (id) do nothing
      returning id, position
    )
    insert into memories_to_embed (memory_id, model)
    select added.id, e.model from added cross join embedding_models e where e.state <> 'retired'
    order by added.position
""")


def add(tenant: str, user_id: str, text: str, **details: Unpack[Details]) -> UUID:
    """Store one memory and return its id. It is found by its words at once, by its meaning once embedded."""
    return add_many(tenant, [NewMemory(user_id, text, **details)])[0]


def add_many(tenant: str, memories: Iterable[NewMemory]) -> list[UUID]:
    """Store many memories, turns of a talk in their order, in one transaction; returns their ids in that order.

    Raises BadInput when a scope lacks its agent or conversation.
    """
    with database.session() as session:
        return write(session, tenant, memories)


def write(session: Session, tenant: str, memories: Iterable[NewMemory]) -> list[UUID]:
    """add_many as a part of the caller's transaction."""
    rows = [_row(memory) for memory in memories]
    if rows:
        vectors.hold_models(session)
        session.execute(_INSERT, {"tenant": tenant, **{name: [row[name] for row in rows] for name in _TYPES}})
    return [row["id"] for row in rows]


def _row(memory: NewMemory) -> dict[str, Any]:
    metadata = memory.metadata or {}
    text = memory.text.replace("\x00", "")  # Postgres takes no NUL in text
    at = memory.at or clock.now()
    talk = memory.conversation_id if memory.source_run is None or memory.kind == "message" else None
    setting = turns.read(text, at=at, is_message=memory.kind == "message", conversation_id=talk, metadata=metadata)
    try:
        owner = scopes.owner(memory.scope, memory.user_id, agent=memory.agent, conversation_id=memory.conversation_id)
    except ValueError as error:
        raise BadInput(f"This can't be remembered: {error}.") from error
    reason = (
        None
        if memory.trust in TRUSTED
        else gate.suspicion(f"{text if memory.from_outside is None else memory.from_outside}\n{setting.context}")
    )
    return {
        **{name: getattr(memory, name) for name in _TYPES if hasattr(memory, name)},
        "id": memory.id or uuid4(),
        "text": text,
        "at": at,
        "owner": owner,
        "speaker": setting.speaker,
        "thread": setting.thread,
        "context": setting.context,
        "metadata": orjson.dumps(metadata).decode(),
        "fingerprint": gate.fingerprint(text),
        "quarantined_at": clock.now() if reason else None,
        "quarantine_reason": reason,
    }


def get(tenant: str, memory_id: UUID) -> Memory:
    """One memory. Raises NotFound when this tenant has none with that id."""
    query = select(Memory).where(Memory.tenant == tenant, Memory.id == memory_id)
    with database.session() as session:
        found = session.scalar(query.options(defer(Memory.lexemes)))
    if found is None:
        raise NotFound(f"There is no memory {memory_id}.")
    return found


def is_stored(tenant: str, memory_id: UUID) -> bool:
    """Whether this tenant has a memory with that id."""
    with database.session() as session:
        return session.scalar(select(Memory.id).where(Memory.tenant == tenant, Memory.id == memory_id)) is not None


def listed(
    tenant: str, user_id: str, *, limit: int = 50, kinds: Sequence[str] | None = None,
    before: tuple[datetime, UUID] | None = None, every: bool = True,
) -> list[Memory]:  # fmt: skip
    """What a user has and what the whole tenant shares, newest first; `before` (at, id) continues a list.

    every: with what is superseded, expired or in quarantine; else only what a search would find now.
    """
    query = select(Memory).where(Memory.tenant == tenant, Memory.owner.in_(scopes.visible(user_id)))
    if kinds is not None:
        query = query.where(Memory.kind.in_(kinds))
    if before is not None:
        at, memory_id = before
        query = query.where(or_(Memory.at < at, (Memory.at == at) & (Memory.id < memory_id)))
    if not every:
        query = query.where(Memory.quarantined_at.is_(None))
        query = query.where(or_(Memory.valid_to.is_(None), Memory.valid_to > func.now()))
        query = query.where(or_(Memory.expires_at.is_(None), Memory.expires_at > func.now()))
    query = query.order_by(Memory.at.desc(), Memory.id.desc()).limit(limit)
    with database.session() as session:
        return list(session.scalars(query.options(defer(Memory.lexemes))))
