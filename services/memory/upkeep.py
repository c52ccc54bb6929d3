"""What a person does with memories: look through them, newest first, and correct one. Deleting: memories.forget."""

from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import func, select, update
from sqlalchemy.orm import defer

from services import database
from services.errors import Conflict
from services.memory import memories
from services.memory.memories import Memory


def recent(
    tenant: str, user_id: str, *, limit: int, kind: str | None = None, before: tuple[datetime, UUID] | None = None
) -> list[Memory]:
    """A user's memories that hold, newest first; `before` is the (at, id) of the last one on the previous page."""
    query = select(Memory).where(Memory.tenant == tenant, Memory.user_id == user_id, Memory.valid_to.is_(None))
    if kind is not None:
        query = query.where(Memory.kind == kind)
    if before is not None:
        query = query.where(func.row(Memory.at, Memory.id) < func.row(*before))
    query = query.order_by(Memory.at.desc(), Memory.id.desc()).limit(limit)
    with database.session() as session:
        return list(session.scalars(query.options(defer(Memory.embedding), defer(Memory.lexemes))))


def correct(tenant: str, memory_id: UUID, text: str) -> UUID:
    """Put a memory with this text in the place of another, which is kept but found no more; returns the new one's id.

    Raises NotFound, and Conflict when the memory had been superseded before.
    """
    old = memories.get(tenant, memory_id)
    new_id = uuid5(memory_id, text)
    if old.valid_to is not None:
        raise Conflict("This memory has been superseded; correct the newer one.")
    memories.add(
        tenant,
        old.user_id,
        text,
        id=new_id,
        kind=old.kind,
        at=old.at,
        conversation_id=old.conversation_id,
        metadata={**old.details, "supersedes": str(memory_id)},
        source_run=old.source_run,
        source_step=old.source_step,
    )
    with database.session() as session:
        session.execute(
            update(Memory)
            .where(Memory.tenant == tenant, Memory.id == memory_id, Memory.valid_to.is_(None))
            .values(valid_to=func.now())
        )
    return new_id
