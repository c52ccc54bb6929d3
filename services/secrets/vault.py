"""The vault: secrets of a tenant by name, encrypted at rest. Only workers read values, right before they are used.

The key is SECRET_KEY; on the embedded servers a key file is made in PERDURE_HOME.
"""

import base64
import hashlib
import hmac
import os
from contextlib import suppress
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import ARRAY, DateTime, LargeBinary, Text, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from services import clock, database, settings
from services.errors import Failed, Misconfigured, NotFound
from services.secrets import redaction

SHORTEST = 6  # shorter ones can't be struck out of texts without maiming these


class Secret(database.Base):
    """A secret as stored. hosts: patterns of the hosts that it may be sent to (`api.example.com`, `*.example.com`)."""

    __tablename__ = "secrets"

    tenant: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    hosts: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def put(tenant: str, name: str, value: str, hosts: list[str]) -> None:
    """Keep a secret under this name, in place of one that had it. Raises Misconfigured without an encryption key."""
    row = {"ciphertext": _cipher().encrypt(value.encode()), "hosts": hosts, "updated_at": clock.now()}
    statement = insert(Secret).values(tenant=tenant, name=name, **row)
    with database.session() as session:
        session.execute(statement.on_conflict_do_update(index_elements=["tenant", "name"], set_=row))


def listed(tenant: str) -> list[Secret]:
    """The secrets of a tenant by name; nobody is shown a value."""
    with database.session() as session:
        return list(session.scalars(select(Secret).where(Secret.tenant == tenant).order_by(Secret.name)))


def remove(tenant: str, name: str) -> None:
    """Forget a secret. Raises NotFound when this tenant has none of that name."""
    query = delete(Secret).where(Secret.tenant == tenant, Secret.name == name).returning(Secret.name)
    with database.session() as session:
        gone = session.execute(query).scalar()
    if gone is None:
        raise NotFound(f"There is no secret {name}.")


def reveal(tenant: str, name: str, host: str | None = None) -> str:
    """The value, from now on struck out of what this process writes.

    host: where it is about to be sent, None for code of the app itself. Raises Failed when there is no such secret or
    it is not meant for that host.
    """
    with database.session() as session:
        found = session.get(Secret, (tenant, name))
    if found is None:
        raise Failed(f"There is no secret {name!r}; `perdure secrets set {name}` makes one.")
    if host is not None and not any(fnmatchcase(host.lower(), pattern.lower()) for pattern in found.hosts):
        raise Failed(f"The secret {name!r} is not meant for {host}.")
    try:
        value = _cipher().decrypt(bytes(found.ciphertext)).decode()
    except InvalidToken as error:
        raise Failed(f"The secret {name!r} was kept with another SECRET_KEY; set it anew.") from error
    redaction.strike_out(name, value)
    return value


def sealed(value: str) -> bytes:
    """A value encrypted, for rows that keep a secret of their own. Raises Misconfigured without an encryption key."""
    return _cipher().encrypt(value.encode())


def opened(value: bytes) -> str:
    """What was sealed, from now on struck out of what this process writes. Raises Failed under another SECRET_KEY."""
    try:
        found = _cipher().decrypt(bytes(value)).decode()
    except InvalidToken as error:
        raise Failed("This secret was kept with another SECRET_KEY; set it anew.") from error
    redaction.strike_out("of a webhook", found)
    return found


def sign(purpose: str, text: str) -> str:
    """A token that only this installation can make of `text` (32 hexadecimal digits)."""
    current = settings.current()
    pepper = current.api_key_pepper.get_secret_value().encode()
    key = _key() if current.secret_key is not None or current.embedded else pepper
    return hmac.new(key, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()[:32]


def _cipher() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(_key()).digest()))


def _key() -> bytes:
    current = settings.current()
    if current.secret_key is not None:
        return current.secret_key.get_secret_value().encode()
    if not current.embedded:
        raise Misconfigured("Set SECRET_KEY to a long random text: secrets are encrypted with it.")
    return _kept_in(current.home / "secret.key")


@cache
def _kept_in(path: Path) -> bytes:
    if not path.exists():  # linked when it is whole: another process may do the same at this moment
        whole = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(whole, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
            file.write(os.urandom(32).hex().encode())
        with suppress(FileExistsError):
            os.link(whole, path)
        whole.unlink()
    return path.read_bytes()
