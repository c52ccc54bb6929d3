"""Idempotency keys: the answer to a request that was already taken (draft-ietf-httpapi-idempotency-key-header-07).

The row is written in the transaction of the run that it stands for, by `runs.create`.
"""

import hashlib
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import DateTime, Text, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.errors import IdempotencyMismatch


class IdempotencyKey(database.Base):
    """What was answered to the first request with this key."""

    __tablename__ = "idempotency_keys"

    tenant: Mapped[str] = mapped_column(Text, primary_key=True)
    route: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    body_hash: Mapped[str] = mapped_column(Text)
    response: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def body_hash(body: Any) -> str:
    """SHA-256 of the canonical JSON of a request body."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def first_response(tenant: str, route: str, key: str, hashed_body: str) -> dict[str, Any] | None:
    """The response given to the first request with this key, or None if there was none.

    Raises IdempotencyMismatch when the key was used with another body.
    """
    with database.session() as session:
        query = select(IdempotencyKey).where(
            IdempotencyKey.tenant == tenant, IdempotencyKey.route == route, IdempotencyKey.key == key
        )
        found = session.scalar(query)
    if found is None:
        return None
    if found.body_hash != hashed_body:
        raise IdempotencyMismatch("This Idempotency-Key came first with another body; use a new key for a new request.")
    return found.response
