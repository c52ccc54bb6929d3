"""What people may do to memories: correct with history, forget with all that was made of them, review, ask why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy import text as sql
from sqlalchemy.orm import Session, defer

from services import clock, database
from services.errors import Conflict, NotFound
from services.memory import memories, scopes, vectors
from services.memory.memories import Memory, NewMemory


def supersede(tenant: str, memory_id: UUID, text: str, *, at: datetime | None = None, trust: str = "person") -> UUID:
    """Put `text` in the place of a memory, from `at` (now) on; returns the new one's id. The old one is history.

    Raises NotFound, and Conflict when another one has taken its place already.
    """
    old = memories.get(tenant, memory_id)
    if old.superseded_by is not None:
        raise Conflict(f"The memory {memory_id} is superseded by {old.superseded_by}; change that one.")
    since = max(at or clock.now(), old.valid_from)
    with database.session() as session:
        new = memories.write(session, tenant, [replace(_copy(old), text=text, at=since, trust=trust)])[0]
        end(session, tenant, [memory_id], by=new, at=since)
    return new


def _copy(old: Memory) -> NewMemory:
    return NewMemory(
        user_id=old.user_id,
        text=old.text,
        kind=old.kind,
        conversation_id=old.conversation_id,
        metadata=old.details,
        scope=old.scope,
        agent=old.agent,
        expires_at=old.expires_at,
        fact_key=old.fact_key,
    )


def end(session: Session, tenant: str, ids: Sequence[UUID], *, by: UUID, at: datetime) -> None:
    """These memories hold no longer than `at`: `by` took their place. What has ended stays as it is.

    A memory in quarantine takes nothing's place.
    """
    session.execute(
        update(Memory)
        .where(Memory.tenant == tenant, Memory.id.in_(ids), Memory.id != by, Memory.superseded_by.is_(None))
        .where(select(Memory.quarantined_at.is_(None)).where(Memory.id == by).scalar_subquery())
        .values(valid_to=func.greatest(Memory.valid_from, at), superseded_by=by)
        .execution_options(synchronize_session=False)
    )


def end_episodes(tenant: str, user_id: str, *, by: UUID, request_key: str) -> None:
    """End the user's other episodes of that request: `by` is the newest word on it."""
    query = select(Memory.id).where(
        Memory.tenant == tenant, Memory.owner == scopes.owner("user", user_id), Memory.kind == "episode",
        Memory.id != by, Memory.superseded_by.is_(None), Memory.details["request_key"].astext == request_key,
    )  # fmt: skip
    with database.session() as session:
        end(session, tenant, list(session.scalars(query)), by=by, at=clock.now())


def history(tenant: str, memory_id: UUID) -> list[Memory]:
    """A memory with what it superseded and what superseded it, oldest first. Raises NotFound."""
    memories.get(tenant, memory_id)
    chain = sql("""
        with recursive later as (
          select id, superseded_by from memories where tenant = :tenant and id = :id
          union select m.id, m.superseded_by
          from memories m join later l on m.id = l.superseded_by and m.tenant = :tenant
        ), earlier as (
          select id from later
          union select m.id from memories m join earlier e on m.superseded_by = e.id and m.tenant = :tenant
        )
        select id from earlier
    """)
    with database.session() as session:
        ids = session.execute(chain, {"tenant": tenant, "id": memory_id}).scalars().all()
        query = select(Memory).where(Memory.id.in_(ids)).order_by(Memory.valid_from, Memory.position)
        return list(session.scalars(query.options(defer(Memory.lexemes))))


# Vectors and queued embeddings go with the row (foreign keys); what was derived goes with what it was derived from.
_FORGET = sql(
    """
    with recursive gone as (
      select id from memories where tenant = :tenant and {which}
      union select m.id from memories m join gone g on m.derived_from = g.id and m.tenant = :tenant
    )
    delete from memories where tenant = :tenant and id in (select id from gone) returning id
""".replace("{which}", "id = any(cast(:ids as uuid[]))")
)
_FORGET_RUN = sql(str(_FORGET.text).replace("id = any(cast(:ids as uuid[]))", "source_run = :run"))


def forget(tenant: str, memory_id: UUID) -> list[UUID]:
    """Delete a memory with its vectors and what was derived from it; returns the ids of all that went.

    What it had superseded stays history. Raises NotFound when this tenant has none with that id.
    """
    with database.session() as session:
        gone = list(session.execute(_FORGET, {"tenant": tenant, "ids": [memory_id]}).scalars())
    if not gone:
        raise NotFound(f"There is no memory {memory_id}.")
    return gone


def forget_run(tenant: str, run_id: UUID) -> list[UUID]:
    """Undo what a run taught: delete its memories with all that is theirs; what they superseded holds again.

    Returns the ids of all that went.
    """
    with database.session() as session:
        gone = list(session.execute(_FORGET_RUN, {"tenant": tenant, "run": run_id}).scalars())
        if gone:
            _reopen(session, tenant, gone)
    return gone


def _reopen(session: Session, tenant: str, gone: list[UUID]) -> None:
    session.execute(
        update(Memory)
        .where(Memory.tenant == tenant, Memory.superseded_by.in_(gone))
        .values(valid_to=None, superseded_by=None)
    )


def quarantined(tenant: str, *, user_id: str | None = None, limit: int = 50, after: UUID | None = None) -> list[Memory]:
    """What waits for a review, oldest first; `after` continues a list."""
    query = select(Memory).where(Memory.tenant == tenant, Memory.quarantined_at.is_not(None))
    if user_id is not None:
        query = query.where(Memory.user_id == user_id)
    if after is not None:
        last = memories.get(tenant, after)
        newer = Memory.quarantined_at > last.quarantined_at
        query = query.where(or_(newer, (Memory.quarantined_at == last.quarantined_at) & (Memory.id > last.id)))
    query = query.order_by(Memory.quarantined_at, Memory.id).limit(limit).options(defer(Memory.lexemes))
    with database.session() as session:
        return list(session.scalars(query))


def release(tenant: str, memory_id: UUID) -> Memory:
    """A person has looked at a quarantined memory: it may be found. It stays text from outside.

    Raises NotFound, and Conflict when it is not in quarantine.
    """
    memories.get(tenant, memory_id)
    statement = (
        update(Memory)
        .where(Memory.tenant == tenant, Memory.id == memory_id, Memory.quarantined_at.is_not(None))
        .values(quarantined_at=None, quarantine_reason=None)
        .returning(Memory.id)
    )
    with database.session() as session:
        if session.scalar(statement) is None:
            raise Conflict(f"The memory {memory_id} is not in quarantine.")
    return memories.get(tenant, memory_id)


@dataclass(frozen=True)
class Why:
    """Why a memory is there and whether it is found: a sentence, and the facts behind it."""

    memory: Memory
    state: str
    sentence: str
    spaces: list[str]
    derived: list[UUID]
    history: list[UUID]


def why(tenant: str, memory_id: UUID) -> Why:
    """Where a memory comes from, what holds it back, what was made of it. Raises NotFound."""
    memory = memories.get(tenant, memory_id)
    with database.session() as session:
        derived = list(
            session.scalars(select(Memory.id).where(Memory.derived_from == memory_id, Memory.tenant == tenant))
        )
    state, held = _state(memory)
    who = {"person": "a person said so", "agent": "an agent concluded it", "outside": "it comes from outside"}
    places = [
        f"run {memory.source_run}" if memory.source_run else "",
        f"step {memory.source_step}" if memory.source_step else "",
        memory.source_url or "",
        f"memory {memory.derived_from}" if memory.derived_from else "",
    ]
    source = ", ".join(place for place in places if place) or "an import or a call of the API"
    sentence = f"Stored {clock.to_wire(memory.recorded_at)} by {source}; {who[memory.trust]}; {held}."
    others = [other.id for other in history(tenant, memory_id)]
    return Why(memory, state, sentence, vectors.spaces_of(memory_id), derived, others)


def _state(memory: Memory) -> tuple[str, str]:
    now = clock.now()
    if memory.quarantined_at is not None:
        return "quarantined", f"nobody finds it: {memory.quarantine_reason}, and no person has released it"
    if memory.expires_at is not None and memory.expires_at <= now:
        return "expired", f"it expired {clock.to_wire(memory.expires_at)}"
    if memory.superseded_by is not None:
        return "superseded", f"{memory.superseded_by} took its place {clock.to_wire(memory.valid_to)}"
    if memory.valid_to is not None and memory.valid_to <= now:
        return "ended", f"it held until {clock.to_wire(memory.valid_to)}"
    return "current", f"it is found, and was used {memory.use_count} times"
