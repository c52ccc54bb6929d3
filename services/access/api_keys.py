"""API keys: who may call, and for which tenant. Only an HMAC of the secret is stored."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, DateTime, Text, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from services import clock, database, settings
from services.errors import NotAuthenticated, NotFound

KEY_PREFIX = "perdure_"
VISIBLE = len(KEY_PREFIX) + 8
USE_IS_NOTED_EVERY = timedelta(minutes=5)
UNKNOWN = "This API key is not known, was revoked or has expired; `perdure keys create` makes a new one."


class ApiKey(database.Base):
    """A key as stored. `prefix` is the part that people may see; `secret_hmac` is HMAC-SHA256(pepper, whole key)."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    secret_hmac: Mapped[str] = mapped_column(Text, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


OPERATE = "operate"  # may change what holds for all tenants


def create(
    tenant: str, name: str, *, scopes: Sequence[str] = ("run",), expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key: the row, and the secret, which can be seen only now."""
    secret = KEY_PREFIX + secrets.token_hex(4) + secrets.token_urlsafe(24)
    key = ApiKey(
        id=uuid4(),
        tenant=tenant,
        name=name,
        prefix=secret[:VISIBLE],
        secret_hmac=hashed(secret),
        scopes=list(scopes),
        created_at=clock.now(),
        expires_at=expires_at,
    )
    with database.session() as session:
        session.add(key)
    return key, secret


def verify(secret: str) -> ApiKey:
    """The key of this secret. Raises NotAuthenticated when it is unknown, revoked or expired."""
    wanted = hashed(secret)
    with database.session() as session:
        found = session.scalar(select(ApiKey).where(ApiKey.secret_hmac == wanted))
    if found is None or not hmac.compare_digest(found.secret_hmac, wanted) or not _valid(found):
        raise NotAuthenticated(UNKNOWN)
    _note_use(found)
    return found


def looks_like_one(secret: str | None) -> bool:
    """Whether it has the form of a key of ours."""
    return secret is not None and secret.startswith(KEY_PREFIX)


def listed(tenant: str | None = None) -> list[ApiKey]:
    """All keys of a tenant (or of all), oldest first, revoked ones too."""
    query = select(ApiKey).order_by(ApiKey.created_at)
    if tenant is not None:
        query = query.where(ApiKey.tenant == tenant)
    with database.session() as session:
        return list(session.scalars(query))


def revoke(prefix: str) -> ApiKey:
    """End the life of the key with this visible prefix. Raises NotFound when there is none that still lives."""
    with database.session() as session:
        found = session.scalar(
            update(ApiKey)
            .where(ApiKey.prefix == prefix, ApiKey.revoked_at.is_(None))
            .values(revoked_at=clock.now())
            .returning(ApiKey)
        )
    if found is None:
        raise NotFound(f"There is no live key {prefix[:VISIBLE]}…; `perdure keys list` shows them.")
    return found


def hashed(secret: str) -> str:
    """HMAC-SHA256 of a key under the pepper, as stored. Keys are random, so no slow hash is needed."""
    pepper = settings.current().api_key_pepper.get_secret_value()
    return hmac.new(pepper.encode(), secret.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()


def _valid(key: ApiKey) -> bool:
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > clock.now())


def _note_use(key: ApiKey) -> None:
    """Not at every use: a busy key would be a write per request."""
    now = clock.now()
    stale = now - USE_IS_NOTED_EVERY
    if key.last_used_at is None or key.last_used_at < stale:
        with database.session() as session:
            not_just_noted = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < stale)
            session.execute(update(ApiKey).where(ApiKey.id == key.id, not_just_noted).values(last_used_at=now))
