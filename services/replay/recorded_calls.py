"""Recorded calls: what models replied to each phase and step of a run, and what its prompts were filled with.

Written by services/model/recorder.py at every call; they go with their run. A reply that is big is a blob.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import DateTime, ForeignKey, Integer, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.spending import payers
from services.spending.payers import Payer

Value = TypeVar("Value")


class RecordedCall(database.Base):
    """One reply. holder: the phase or step that asked; number: which of its calls it is.

    hash: of all that was asked. asked: the parts of it, each {name, hash}, to tell which one differs.
    reply: {text, model, usage}, or of what a prompt was filled with {value}.
    """

    __tablename__ = "recorded_calls"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    holder: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text)
    asked: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    reply: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def hash_of(value: Any) -> str:
    """The hash of any JSON, whatever the order of its keys."""
    return sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def parts_of(messages: Sequence[Any], schema: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What was asked, in parts."""
    parts = [{"name": f"{message['role']} message", "hash": hash_of(message["content"])} for message in messages]
    return parts if schema is None else [*parts, {"name": "schema", "hash": hash_of(schema)}]


def keep(payer: Payer, asked: list[dict[str, Any]], reply: dict[str, Any]) -> None:
    """Record a reply to a run's phase or step."""
    database.call("record_call", payer.run_id, payer.holder, hash_of(asked), database.json(asked), database.json(reply))


def replayed(payer: Payer, asked: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The recorded reply for a run that is replayed: to the same question, else to the one in the same place.

    None where there is none. What it was asked is recorded for the replay, so that differences can be told.
    """
    return database.call("replay_call", payer.run_id, payer.holder, hash_of(asked), database.json(asked))


def filled(name: str, look: Callable[[], Value]) -> Value:
    """What the current phase's prompt is filled with (memories, the conversation): looked up and recorded.

    In a replay it is what it was.
    """
    payer = payers.current()
    if payer is None or payer.run_id is None or payer.holder is None:
        return look()
    mine = Payer(payer.tenant, payer.run_id, f"{payer.holder}/{name}", replay=payer.replay)
    if payer.replay:
        found = replayed(mine, [])
        return found["value"] if found else look()
    value = look()
    keep(mine, [], {"value": value})
    return value
