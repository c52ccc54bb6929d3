"""People who sign in at the page: name, password (kept as Argon2id), scopes. The first admin is made at first start."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ARRAY, DateTime, Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from services import database, settings, tenants
from services.access import scopes as scopes_of
from services.errors import BadInput, NotAuthenticated

FIRST = "admin"
TENANT = "default"
SHORTEST = 10
WRONG = "There is nobody of that name with that password."

_hasher = PasswordHasher()  # Argon2id with the library's present defaults (RFC 9106, low memory)


class Person(database.Base):
    """Who may sign in. A name is of the whole system, so that signing in asks for no tenant."""

    __tablename__ = "people"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    password: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def put(name: str, password: str, *, tenant: str = TENANT, scopes: Sequence[str] = ("operate",)) -> None:
    """Add a person, or give one another password and other scopes. Raises BadInput for a password that is too short."""
    if len(password) < SHORTEST:
        raise BadInput(f"A password has {SHORTEST} characters at least.")
    values = {
        "tenant": tenants.checked(tenant),
        "password": _hasher.hash(password),
        "scopes": scopes_of.checked(scopes),
    }
    with database.session() as session:
        statement = insert(Person).values(name=name, **values)
        session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def first_admin() -> str | None:
    """Make the first admin if there is nobody yet; returns the password when it was made up and has to be told."""
    with database.session() as session:
        if session.scalar(select(func.count()).select_from(Person)):
            return None
    chosen = settings.current().admin_password
    password = chosen.get_secret_value() if chosen else secrets.token_urlsafe(15)
    put(FIRST, password)
    return None if chosen else password


def anybody() -> bool:
    """Whether there is somebody who could sign in."""
    with database.session() as session:
        return bool(session.scalar(select(func.count()).select_from(Person)))


def checked(name: str, password: str) -> Person:
    """The person of this name and password. Raises NotAuthenticated; takes as long for a name that is not there."""
    with database.session() as session:
        found = session.get(Person, name)
    try:
        _hasher.verify(found.password if found else _nobodys(), password)
    except (VerificationError, InvalidHashError) as error:
        raise NotAuthenticated(WRONG) from error
    if found is None:
        raise NotAuthenticated(WRONG)
    return found


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_urlsafe(15))
