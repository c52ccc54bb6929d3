"""One-time tickets: what a browser shows to open a WebSocket, since it can send no header with one."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import DateTime, Text, delete
from sqlalchemy.orm import Mapped, mapped_column

from services import clock, database
from services.access import api_keys
from services.errors import NotAuthenticated

LASTS = timedelta(seconds=30)
USED = "This ticket is not known, was used or is too old; POST /api/tickets gives another one."


class Ticket(database.Base):
    """A ticket that nobody has used: of a key, of a sign-in, or (where no key is asked for) of neither."""

    __tablename__ = "tickets"

    hash: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    key_id: Mapped[UUID | None] = mapped_column()
    sign_in: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


def issue(tenant: str, *, key_id: UUID | None, sign_in: str | None) -> tuple[str, datetime]:
    """A ticket and when it is over. Old ones are forgotten."""
    ticket, now = secrets.token_urlsafe(24), clock.now()
    row = Ticket(hash=api_keys.hashed(ticket), tenant=tenant, key_id=key_id, sign_in=sign_in, expires_at=now + LASTS)
    with database.session() as session:
        session.execute(delete(Ticket).where(Ticket.expires_at < now))
        session.add(row)
    return ticket, row.expires_at


def redeem(ticket: str) -> Ticket:
    """Use a ticket up: whoever comes second gets nothing. Raises NotAuthenticated."""
    with database.session() as session:
        found = session.scalar(delete(Ticket).where(Ticket.hash == api_keys.hashed(ticket)).returning(Ticket))
    if found is None or found.expires_at <= clock.now():
        raise NotAuthenticated(USED)
    return found
