"""Signals: something happened outside, told by name; the steps that wait for it go on. See functions/9_signals.sql."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    delete,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.errors import Gone
from services.journal import runs
from services.journal.surgery import Changed

KEPT = timedelta(days=30)


class Signal(database.Base):
    """One that was sent, to a run or to all. woken: how many waits it has ended. key: of one that may be sent twice."""

    __tablename__ = "signals"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    data: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    key: Mapped[str | None] = mapped_column(Text)
    woken: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (
        # one that is sent again is the same
        UniqueConstraint("tenant", "key"),
        # the next one for a wait
        Index(None, "tenant", "name", "id"),
        Index("ix_signals_run_id", "run_id", postgresql_where=text("run_id is not null")),
    )


@dataclass(frozen=True)
class Woken:
    """The steps of one run that a signal woke, and what that led to."""

    run_id: str
    steps: list[str]
    changed: Changed


def send(
    tenant: str, name: str, data: Any, *, run_id: str | None = None, once: bool = False
) -> tuple[int, list[Woken]]:
    """Keep a signal and wake the steps that wait for it; returns its number and whom it woke.

    Sent to no run, it wakes the oldest wait for it of every run. Raises NotFound for an unknown run; once: Gone where
    there was one of that name before.
    """
    if run_id is not None:
        runs.get(tenant, run_id)
    sent = database.call("send_signal_once" if once else "send_signal", tenant, name, run_id, database.json(data))
    if sent is None:
        raise Gone("This was used already; it can be used once.")
    return sent["id"], wake(sent["waiting"], name)


def wake(run_ids: list[str], name: str) -> list[Woken]:
    """Wake the oldest wait of each of these runs that may take a signal of that name; returns whom that woke."""
    woken = []
    for waiting in run_ids:
        found = database.call("wake_by_signal", waiting, name)
        if found["steps"]:
            changed = Changed(found["events"], found["ready"], found.get("phase"))
            woken.append(Woken(waiting, found["steps"], changed))
    return woken


def forget_old() -> None:
    """Drop what nobody has waited for in time."""
    with database.session() as session:
        session.execute(delete(Signal).where(Signal.at < func.now() - KEPT))
