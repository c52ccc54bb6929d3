"""Memories as lines of JSON, to carry them to another system or back. Vectors stay: they are made anew there."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import func, select, update
from sqlalchemy.orm import defer

from services import clock, database
from services.memory import memories
from services.memory.memories import Memory, NewMemory

BATCH = 1_000
_KINDS = {"message", "episode", "fact", "note"}
_MOMENTS = {"at": "at", "expiresAt": "expires_at", "validTo": "valid_to"}
_TEXTS = {
    **{"userId": "user_id", "text": "text", "kind": "kind", "conversationId": "conversation_id", "trust": "trust"},
    **{"scope": "scope", "agent": "agent", "sourceStep": "source_step", "sourceUrl": "source_url"},
    "factKey": "fact_key",
}
_IDS = {"id": "id", "sourceRun": "source_run", "derivedFrom": "derived_from"}


def exported(tenant: str, user_id: str | None = None) -> Iterator[dict[str, Any]]:
    """Every memory of a user (of the tenant if None), in the order in which they were stored."""
    last = 0
    while True:
        query = select(Memory).where(Memory.tenant == tenant, Memory.position > last)
        if user_id is not None:
            query = query.where(Memory.user_id == user_id)
        query = query.order_by(Memory.position).limit(BATCH).options(defer(Memory.lexemes))
        with database.session() as session:
            batch = list(session.scalars(query))
        for memory in batch:
            yield _line(memory)
        if len(batch) < BATCH:
            return
        last = batch[-1].position


def _line(memory: Memory) -> dict[str, Any]:
    moments = {name: clock.to_wire(getattr(memory, column)) for name, column in _MOMENTS.items()}
    # to the last digit: what is a moment apart must stay so
    moments["at"] = memory.at.isoformat()
    return {
        **{name: _text(getattr(memory, column)) for name, column in _IDS.items()},
        **{name: getattr(memory, column) for name, column in _TEXTS.items()},
        **moments,
        "metadata": memory.details,
        "supersededBy": _text(memory.superseded_by),
        "quarantineReason": memory.quarantine_reason,
    }


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def read(line: Any) -> tuple[NewMemory, dict[str, Any]]:
    """A line of an export as a memory, and what has to be said of it once it is stored.

    Raises ValueError that names what is wrong.
    """
    if not isinstance(line, dict):
        raise ValueError("it is not an object")
    told: dict[str, Any] = {}
    for name, column in _TEXTS.items():
        if line.get(name) is not None:
            if not isinstance(line[name], str):
                raise ValueError(f"{name} is not a text")
            told[column] = line[name]
    told |= {column: UUID(str(line[name])) for name, column in _IDS.items() if line.get(name)}
    told |= {column: _moment(name, line[name]) for name, column in _MOMENTS.items() if line.get(name)}
    if not told.get("text") or not told.get("user_id"):
        raise ValueError("text and userId are required")
    if told.get("kind", "note") not in _KINDS or told.get("trust", "person") not in {"person", "agent", "outside"}:
        raise ValueError("kind or trust is not one that there is")
    if not isinstance(line.get("metadata") or {}, dict):
        raise ValueError("metadata is not an object")
    later = {"superseded_by": line.get("supersededBy"), "quarantine_reason": line.get("quarantineReason")}
    if later["superseded_by"]:
        later["superseded_by"] = UUID(str(later["superseded_by"]))
    return NewMemory(**told, metadata=line.get("metadata") or {}), later


def _moment(name: str, value: Any) -> datetime:
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError(f"{name} names no zone")
    return moment


def imported(tenant: str, rows: Sequence[tuple[NewMemory, dict[str, Any]]]) -> int:
    """Store what `read` made; returns how many there were not before. All or nothing.

    An id that another tenant has becomes another one: nobody learns from an import which ids there are elsewhere.
    """
    with database.session() as session:
        ids = [memory.id for memory, _ in rows if memory.id]
        taken = set(session.scalars(select(Memory.id).where(Memory.id.in_(ids), Memory.tenant != tenant)))
        renamed = {old: uuid5(old, tenant) for old in taken}
        fresh = [_renamed(memory, renamed) for memory, _ in rows]
        before = session.scalar(select(func.count()).select_from(Memory).where(Memory.tenant == tenant)) or 0
        stored = memories.write(session, tenant, fresh)
        for memory_id, (_, later) in zip(stored, rows, strict=True):
            values: dict[str, Any] = {}
            if later["superseded_by"]:
                values["superseded_by"] = renamed.get(later["superseded_by"], later["superseded_by"])
            if later["quarantine_reason"]:
                values |= {"quarantined_at": clock.now(), "quarantine_reason": str(later["quarantine_reason"])}
            if values:
                session.execute(update(Memory).where(Memory.id == memory_id, Memory.tenant == tenant).values(**values))
        after = session.scalar(select(func.count()).select_from(Memory).where(Memory.tenant == tenant)) or 0
    return after - before


def _renamed(memory: NewMemory, renamed: dict[UUID, UUID]) -> NewMemory:
    return replace(
        memory,
        id=renamed.get(memory.id, memory.id) if memory.id else None,
        derived_from=renamed.get(memory.derived_from, memory.derived_from) if memory.derived_from else None,
    )
