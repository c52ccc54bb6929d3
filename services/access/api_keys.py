"""API keys: who may call, and for which tenant. Only an HMAC of the secret is stored."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from services import database


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
