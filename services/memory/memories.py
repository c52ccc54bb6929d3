"""Memories: what outlives a run. The table; adding, embedding and reading them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import Boolean, Computed, DateTime, Index, Text, func
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from services import database


class Memory(database.Base):
    """Something worth remembering about a user. `kind`: message, episode, fact or note.

    embedding is of `embedding_model`; both are empty until a worker has embedded the text.
    """

    __tablename__ = "memories"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    user_id: Mapped[str] = mapped_column(Text)
    conversation_id: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default=sql("'{}'"))
    source_run: Mapped[UUID | None] = mapped_column()
    source_step: Mapped[str | None] = mapped_column(Text)
    trusted: Mapped[bool] = mapped_column(Boolean, server_default=sql("true"))
    lexemes: Mapped[Any] = mapped_column(TSVECTOR, Computed("to_tsvector('english', text)", persisted=True))
    embedding: Mapped[Any] = mapped_column(HALFVEC, nullable=True)
    embedding_model: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    valid_to: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        # one owner's memories, exactly
        Index(None, "tenant", "user_id", "at"),
        Index("ix_memories_lexemes", "lexemes", postgresql_using="gin"),
        # what still has to be embedded
        Index("ix_memories_unembedded", "recorded_at", postgresql_where=sql("embedding_model is null")),
    )
