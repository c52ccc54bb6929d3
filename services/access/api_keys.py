"""API keys: who may call, and for which tenant. Only an HMAC of the secret is stored."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, DateTime, Integer, Text, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from services import clock, database, settings, tenants
from services.access import scopes as scopes_of
from services.errors import Conflict, NotAuthenticated, NotFound

KEY_PREFIX = "perdure_"
VISIBLE = len(KEY_PREFIX) + 8
USE_IS_NOTED_EVERY = timedelta(minutes=5)
UNKNOWN = "This API key is not known, was revoked or has expired; `perdure keys create` makes a new one."


class ApiKey(database.Base):
    """A key as stored. `prefix` is the part that people may see; `secret_hmac` is HMAC-SHA256(pepper, whole key).

    scopes: services/access/scopes.py. per_minute, per_day: how many requests. replaces: the key that was rotated.
    """

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    secret_hmac: Mapped[str] = mapped_column(Text, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    per_minute: Mapped[int | None] = mapped_column(Integer)
    per_day: Mapped[int | None] = mapped_column(Integer)
    replaces: Mapped[UUID | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def state(self) -> Literal["live", "expired", "revoked"]:
        """live, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= clock.now() else "live"


@dataclass(frozen=True)
class Limits:
    """How many requests a key may make in a minute and in a day (UTC); None: as the settings say, and without end."""

    per_minute: int | None = None
    per_day: int | None = None


NO_LIMITS = Limits()


def create(
    tenant: str,
    name: str,
    *,
    scopes: Sequence[str] = ("run",),
    expires_at: datetime | None = None,
    limits: Limits = NO_LIMITS,
    replaces: UUID | None = None,
) -> tuple[ApiKey, str]:
    """A new key: the row, and the secret, which can be seen only now. Raises BadInput for no tenant or scope."""
    secret = KEY_PREFIX + secrets.token_hex(4) + secrets.token_urlsafe(24)
    key = ApiKey(
        id=uuid4(),
        tenant=tenants.checked(tenant),
        name=name,
        prefix=secret[:VISIBLE],
        secret_hmac=hashed(secret),
        scopes=scopes_of.checked(scopes),
        per_minute=limits.per_minute,
        per_day=limits.per_day,
        replaces=replaces,
        created_at=clock.now(),
        expires_at=expires_at,
    )
    with database.session() as session:
        session.add(key)
    return key, secret


def rotate(old: ApiKey, *, grace: timedelta) -> tuple[ApiKey, str]:
    """A new key like `old`, which itself still works for the grace time. Raises Conflict when it works no more."""
    if old.state != "live":
        raise Conflict(f"The key {old.prefix}… is {old.state}; make a new one.")
    made = create(
        old.tenant,
        old.name,
        scopes=old.scopes,
        expires_at=old.expires_at,
        limits=Limits(old.per_minute, old.per_day),
        replaces=old.id,
    )
    ends = clock.now() + grace
    with database.session() as session:
        sooner = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > ends)
        session.execute(update(ApiKey).where(ApiKey.id == old.id, sooner).values(expires_at=ends))
    return made


def verify(secret: str) -> ApiKey:
    """The key of this secret. Raises NotAuthenticated when it is unknown, revoked or expired."""
    wanted = hashed(secret)
    with database.session() as session:
        found = session.scalar(select(ApiKey).where(ApiKey.secret_hmac == wanted))
    if found is None or not hmac.compare_digest(found.secret_hmac, wanted) or found.state != "live":
        raise NotAuthenticated(UNKNOWN)
    _note_use(found)
    return found


def looks_like_one(secret: str | None) -> bool:
    """Whether it has the form of a key of ours."""
    return secret is not None and secret.startswith(KEY_PREFIX)


def living(key_id: UUID) -> ApiKey | None:
    """The key of this id if it may be used now."""
    with database.session() as session:
        found = session.get(ApiKey, key_id)
    return found if found is not None and found.state == "live" else None


def listed(tenant: str | None = None) -> list[ApiKey]:
    """All keys of a tenant (or of all), oldest first, revoked ones too."""
    query = select(ApiKey).order_by(ApiKey.created_at)
    if tenant is not None:
        query = query.where(ApiKey.tenant == tenant)
    with database.session() as session:
        return list(session.scalars(query))


def get(tenant: str, key_id: UUID) -> ApiKey:
    """One key of the tenant. Raises NotFound."""
    with database.session() as session:
        found = session.scalar(select(ApiKey).where(ApiKey.tenant == tenant, ApiKey.id == key_id))
    if found is None:
        raise NotFound(f"There is no key {key_id}.")
    return found


def of_prefix(prefix: str) -> ApiKey:
    """The key with this visible prefix that is not revoked. Raises NotFound."""
    with database.session() as session:
        found = session.scalar(select(ApiKey).where(ApiKey.prefix == prefix, ApiKey.revoked_at.is_(None)))
    if found is None:
        raise NotFound(f"There is no live key {prefix[:VISIBLE]}…; `perdure keys list` shows them.")
    return found


def revoke(key: ApiKey) -> ApiKey:
    """End the life of this key; it stops working within a second."""
    with database.session() as session:
        session.execute(
            update(ApiKey).where(ApiKey.id == key.id, ApiKey.revoked_at.is_(None)).values(revoked_at=clock.now())
        )
    return key


def hashed(secret: str) -> str:
    """HMAC-SHA256 of a key under the pepper, as stored. Keys are random, so no slow hash is needed."""
    pepper = settings.current().api_key_pepper.get_secret_value()
    return hmac.new(pepper.encode(), secret.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()


def _note_use(key: ApiKey) -> None:
    """Not at every use: a busy key would be a write per request."""
    now = clock.now()
    stale = now - USE_IS_NOTED_EVERY
    if key.last_used_at is None or key.last_used_at < stale:
        with database.session() as session:
            not_just_noted = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < stale)
            session.execute(update(ApiKey).where(ApiKey.id == key.id, not_just_noted).values(last_used_at=now))
