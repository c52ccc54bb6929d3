"""What counts as the same message or run for a while. Written in the commit of the first (5_delivery.sql)."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import DateTime, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services import database

WINDOW = 86_400.0
LONGEST = 30 * 86_400.0


class Deduplication(database.Base):
    """The key of a kind (message or run) stands for this id until then."""

    __tablename__ = "deduplications"

    tenant: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[UUID] = mapped_column()
    until: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (Index(None, "until"),)


def of_content(content: Any) -> str:
    """The key of content that is to be taken once."""
    return "content:" + hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def of_id(given: str) -> str:
    """The key of an id that the caller gives."""
    return f"id:{given}"
