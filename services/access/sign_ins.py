"""Sign-ins: what the session cookie of the page stands for. Only an HMAC of the cookie is stored."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import DateTime, ForeignKey, Text, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from services import clock, database
from services.access import api_keys
from services.access.people import Person
from services.errors import NotAuthenticated

LASTS = timedelta(hours=12)
OVER = "The sign-in is over; sign in again."


class SignIn(database.Base):
    """A person signed in and has not signed out."""

    __tablename__ = "sign_ins"

    hash: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    person: Mapped[str] = mapped_column(ForeignKey("people.name", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in. hash: what the sign-in is kept by."""

    hash: str
    tenant: str
    person: str
    scopes: tuple[str, ...]


def begin(person: Person) -> str:
    """Sign this person in; returns the cookie's value, which is stored nowhere. Those that are over are forgotten."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    row = SignIn(hash=api_keys.hashed(token), tenant=person.tenant, person=person.name, expires_at=now + LASTS)
    with database.session() as session:
        session.execute(delete(SignIn).where(SignIn.expires_at < now))
        session.add(row)
    return token


def verify(token: str) -> SignedIn:
    """Who this cookie stands for. Raises NotAuthenticated."""
    found = living(api_keys.hashed(token))
    if found is None:
        raise NotAuthenticated(OVER)
    return found


def living(hash: str) -> SignedIn | None:
    """The sign-in that is kept by this hash, unless it is over."""
    query = (
        select(Person.tenant, Person.name, Person.scopes)
        .join(SignIn, SignIn.person == Person.name)
        .where(SignIn.hash == hash, SignIn.expires_at > clock.now())
    )
    with database.session() as session:
        found = session.execute(query).one_or_none()
    return SignedIn(hash, found.tenant, found.name, tuple(found.scopes)) if found else None


def end(hash: str) -> None:
    """Sign out."""
    with database.session() as session:
        session.execute(delete(SignIn).where(SignIn.hash == hash))
