"""Every try at a message, kept with the message."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Integer, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from services import database


class DeliveryAttempt(database.Base):
    """outcome: delivered, retry, refused, lost (its worker died), handed_back; null while it is under way.

    status, reply: what the receiver answered (the reply's beginning). error: why it was no success.
    """

    __tablename__ = "delivery_attempts"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("delivery_messages.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    worker: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)
    status: Mapped[int | None] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(Text)
    reply: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


def of_message(message_id: UUID) -> list[DeliveryAttempt]:
    """All tries so far, in order."""
    query = select(DeliveryAttempt).where(DeliveryAttempt.message_id == message_id).order_by(DeliveryAttempt.attempt)
    with database.session() as session:
        return list(session.scalars(query))
