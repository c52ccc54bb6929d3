"""What a caller asked of the start of a run: when, once, with others, who is told (functions/3_submission.sql)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.errors import NotFound
from services.journal import runs, surgery
from services.journal.surgery import Changed


class Submission(database.Base):
    """Of a run for which something was asked. begin_by: it is cancelled when it has not begun by then.

    coalesce_key: runs of one key are one, where they can; coalesce_since, coalesced: since when, of how many requests.
    callbacks: {success, failure, paused, step, secret}: who is told; told_seq: up to which event its steps' ends are.
    """

    __tablename__ = "submissions"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    begin_by: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    coalesce_key: Mapped[str | None] = mapped_column(Text)
    coalesce_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    coalesced: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    callbacks: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    told_seq: Mapped[int] = mapped_column(Integer, server_default=text("0"))

    __table_args__ = (
        # who must have begun by now
        Index("ix_submissions_begin_by", "begin_by", postgresql_where=text("begin_by is not null")),
        # those that others are one with
        Index("ix_submissions_coalesce", "tenant", "coalesce_key", postgresql_where=text("coalesce_key is not null")),
        # whose steps are told to a URL
        Index("ix_submissions_step_callbacks", "run_id", postgresql_where=text("callbacks ? 'step'")),
    )


def hasten(tenant: str, run_id: str) -> Changed:
    """Let a run that is held back begin now. Raises NotFound, and Conflict for one that is not."""
    return surgery.changed(database.call("hasten_run", runs.parse_id(run_id), tenant), f"There is no run {run_id}.")


def get(run_id: UUID) -> Submission:
    """What was asked of this run's start. Raises NotFound where nothing was."""
    with database.session() as session:
        found = session.get(Submission, run_id)
    if found is None:
        raise NotFound(f"Nothing was asked of the start of run {run_id}.")
    return found
