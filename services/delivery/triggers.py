"""Webhooks in: a URL that starts runs. Signed (Standard Webhooks over the raw body), or with the secret in the URL.

Every call has an id; one that comes again is refused, so that a sender may repeat what it is not sure of.
"""

import secrets as randomness
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Boolean, DateTime, ForeignKey, LargeBinary, Text, UniqueConstraint, delete, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from services import database, settings
from services.errors import Conflict, NotFound
from services.journal import runs
from services.journal.runs import Accepted
from services.network import webhooks
from services.secrets import vault

Mode = Literal["signed", "url"]
KEPT = timedelta(days=7)


class Trigger(database.Base):
    """id: what stands in its URL, and in the mode `url` all that a caller has to know.

    start: what POST /api/agent/start takes, as a template (templates.py). secret: sealed; only of a signed one.
    """

    __tablename__ = "triggers"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(Text)
    start: Mapped[dict[str, Any]] = mapped_column(JSONB)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    paused: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (UniqueConstraint("tenant", "name"),)

    @property
    def url(self) -> str:
        """Where it is called."""
        current = settings.current()
        return f"{(current.public_url or f'http://127.0.0.1:{current.port}').rstrip('/')}/hooks/{self.id}"


class TriggerCall(database.Base):
    """A call that started a run. Written in the commit of the run."""

    __tablename__ = "trigger_calls"

    trigger_id: Mapped[str] = mapped_column(ForeignKey("triggers.id", ondelete="CASCADE"), primary_key=True)
    message_id: Mapped[str] = mapped_column(Text, primary_key=True)
    run_id: Mapped[UUID] = mapped_column()
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp(), index=True)


def add(tenant: str, name: str, mode: Mode, start: dict[str, Any], secret: str | None) -> tuple[Trigger, str | None]:
    """A new trigger, with the secret that signs its calls (shown this once). Raises Conflict for a taken name."""
    chosen = (secret or webhooks.new_secret()) if mode == "signed" else None
    made = Trigger(id=randomness.token_urlsafe(24), tenant=tenant, name=name, mode=mode, start=start)
    made.secret = vault.sealed(chosen) if chosen is not None else None
    try:
        with database.session() as session:
            session.add(made)
            session.flush()
            session.refresh(made)
    except IntegrityError as error:
        raise Conflict(f"There is a trigger {name!r} already; PATCH changes it.") from error
    return made, chosen


def get(tenant: str, name: str) -> Trigger:
    """The trigger of that name. Raises NotFound."""
    with database.session() as session:
        found = session.scalar(select(Trigger).where(Trigger.tenant == tenant, Trigger.name == name))
    if found is None:
        raise NotFound(f"There is no trigger {name[:80]!r}.")
    return found


def listed(tenant: str) -> list[Trigger]:
    """The tenant's triggers by name."""
    with database.session() as session:
        return list(session.scalars(select(Trigger).where(Trigger.tenant == tenant).order_by(Trigger.name)))


def change(tenant: str, name: str, **fields: Any) -> Trigger:
    """Change these fields. Raises NotFound."""
    found = get(tenant, name)
    with database.session() as session:
        found = session.merge(found)
        for field, value in fields.items():
            setattr(found, field, value)
    return found


def remove(tenant: str, name: str) -> None:
    """Forget a trigger; its URL is unknown from now on. Raises NotFound."""
    found = get(tenant, name)
    with database.session() as session:
        session.delete(session.merge(found))


def called(trigger_id: str, headers: Mapping[str, str], body: bytes) -> tuple[Trigger, str]:
    """The trigger behind a URL, and the id of this call of it.

    Raises NotFound, Conflict (paused), and NotAuthenticated for a signature that is missing, wrong or old.
    """
    with database.session() as session:
        found = session.get(Trigger, trigger_id)
    if found is None:
        raise NotFound("There is no such hook.")
    if found.secret is not None:
        message_id = webhooks.verify([vault.opened(found.secret)], headers, body)
    else:
        message_id = headers.get("webhook-id") or headers.get("idempotency-key") or randomness.token_hex(16)
    if found.paused:
        raise Conflict("This hook is paused.")
    return found, message_id[:500]


def start(trigger: Trigger, message_id: str, run: dict[str, Any]) -> Accepted:
    """Start this run (as `runs.accept` takes it) once for this call. Raises Conflict where it came before."""
    found = database.call("start_by_trigger", trigger.id, message_id, database.json(run))
    if "replayed" in found:
        raise Conflict(f"This call ({message_id}) came before: it started run {found['replayed']}.")
    return runs.accepted(found)


def forget_old() -> None:
    """Drop calls that nobody repeats any more."""
    with database.session() as session:
        session.execute(delete(TriggerCall).where(TriggerCall.at < func.now() - KEPT))
