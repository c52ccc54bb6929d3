"""Plans: numbered revisions of how a run goes about its request."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Integer, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import database


class AcceptedPlan(database.Base):
    """A plan as it was accepted. `source`: caller, model or offline."""

    __tablename__ = "plans"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    prompt_version: Mapped[str | None] = mapped_column(Text)
    usage: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def newest(run_id: UUID) -> AcceptedPlan | None:
    """The newest revision of a run's plan, or None before planning has ended."""
    query = select(AcceptedPlan).where(AcceptedPlan.run_id == run_id).order_by(AcceptedPlan.revision.desc()).limit(1)
    with database.session() as session:
        return session.scalar(query)
