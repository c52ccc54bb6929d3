"""The audit log: who changed what and when, each tenant's rows chained by hashes (journal/functions/9_audit.sql)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Integer, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from services import database


class AuditRow(database.Base):
    """One write. actor: `key <id>`, `person <name>` or `local`. status: of the answer. previous: the hash before."""

    __tablename__ = "audit_log"

    tenant: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    actor: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    status: Mapped[int] = mapped_column(Integer)
    address: Mapped[str | None] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text)


class AuditHead(database.Base):
    """The newest row of a tenant, and what locks its chain."""

    __tablename__ = "audit_heads"

    tenant: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True)
class Fault:
    """Where a chain is broken. fault: altered, missing, or broken (its `previous` is not the hash before it)."""

    tenant: str
    seq: int
    fault: str

    def __str__(self) -> str:
        said = {
            "altered": "was altered after it was written",
            "missing": "is missing",
            "broken": "does not follow the row before it",
        }
        return f"Tenant {self.tenant}: row {self.seq} {said[self.fault]}."


def record(tenant: str, actor: str, method: str, path: str, status: int, address: str | None) -> None:
    """Add a row. Raises Unavailable when Postgres does not answer."""
    database.call("record_audit", tenant, actor, method, path, status, address)


def listed(tenant: str, *, limit: int, before: int | None, actor: str | None) -> list[AuditRow]:
    """The tenant's rows, newest first, older than the row `before`."""
    query = select(AuditRow).where(AuditRow.tenant == tenant).order_by(AuditRow.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditRow.seq < before)
    if actor is not None:
        query = query.where(AuditRow.actor == actor)
    with database.session() as session:
        return list(session.scalars(query))


def verify(tenant: str | None = None) -> Iterator[tuple[str, int, Fault | None]]:
    """Each chain (or this tenant's) with its number of rows and the first fault, None when it holds."""
    heads = select(AuditHead.tenant, AuditHead.seq).order_by(AuditHead.tenant)
    with database.session() as session:
        known = session.execute(heads if tenant is None else heads.where(AuditHead.tenant == tenant)).all()
    for name, rows in known:
        found = database.call("audit_fault", name)
        yield name, rows, Fault(name, found["seq"], found["fault"]) if found else None
