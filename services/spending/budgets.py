"""Budgets: limits on what a run, or a tenant in a day, may spend, counted under row locks.

A run draws on accounts: `run:<id>` (its own, and those of its parents) and `daily` (its tenant's, of each day in UTC).
Calls of models reserve an estimate first and settle what they took after; steps and calls of tools are charged at once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.errors import BudgetExceeded, NotFound

OnExceed = Literal["stop", "degrade", "ask"]
DIMENSIONS = ("steps", "toolCalls", "tokens", "money", "seconds")
DAILY = "daily"
_UNITS = {
    "steps": "steps",
    "toolCalls": "calls of tools",
    "tokens": "tokens",
    "money": "US dollars",
    "seconds": "seconds",
}


class Budget(database.Base):
    """Limits of one account, by dimension, with what is spent and (by calls under way) reserved."""

    __tablename__ = "budgets"

    tenant: Mapped[str] = mapped_column(Text, primary_key=True)
    account: Mapped[str] = mapped_column(Text, primary_key=True)
    limits: Mapped[dict[str, float]] = mapped_column(JSONB)
    on_exceed: Mapped[str] = mapped_column(Text)
    spent: Mapped[dict[str, float]] = mapped_column(JSONB, server_default=text("'{}'"))
    reserved: Mapped[dict[str, float]] = mapped_column(JSONB, server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Reservation(database.Base):
    """An estimate that a call under way holds. After expires_at its worker is dead, and it counts as spent."""

    __tablename__ = "reservations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    accounts: Mapped[list[str]] = mapped_column(ARRAY(Text))
    amounts: Mapped[dict[str, float]] = mapped_column(JSONB)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


@dataclass(frozen=True)
class Left:
    """What is left of one dimension over all accounts: now, and once the calls under way have been settled.

    None: without limit. account: the tightest one; on_exceed: what it says.
    """

    now: float | None = None
    settled: float | None = None
    account: str = ""
    on_exceed: OnExceed = "stop"
    limit: float = 0


def charge(tenant: str, accounts: tuple[str, ...], amounts: dict[str, float]) -> None:
    """Count these amounts as spent. Raises BudgetExceeded, and counts nothing, where one is not to be had."""
    refused = database.call("charge_budget", tenant, list(accounts), database.json(amounts))
    if refused is not None:
        raise exceeded(refused["dimension"], refused["limit"], refused["account"], refused["on_exceed"])


def left(tenant: str, accounts: tuple[str, ...]) -> dict[str, Left]:
    """What is left, by dimension; only of those that have a limit."""
    found: dict[str, Left] = {}
    for row in database.call("budgets_left", tenant, list(accounts)):
        known = found.get(row["dimension"])
        if known is None or known.now is None or row["now"] < known.now:
            found[row["dimension"]] = Left(row["now"], row["settled"], row["account"], row["on_exceed"], row["limit"])
    return found


def reserve(tenant: str, accounts: tuple[str, ...], amounts: dict[str, float], seconds: float) -> str | None:
    """Hold these amounts for a call of so many seconds at most; returns the reservation, None if they are not there."""
    return database.call("reserve_budget", tenant, list(accounts), database.json(amounts), seconds)


def exceeded(dimension: str, limit: float, account: str, on_exceed: OnExceed) -> BudgetExceeded:
    """The error that says so."""
    whose = "The day's budget" if account.startswith(DAILY) else "The run's budget"
    return BudgetExceeded(f"{whose} of {limit:g} {_UNITS[dimension]} is used up.", on_exceed=on_exceed)


def of_run(tenant: str, run_id: str) -> Budget | None:
    """The run's own budget, or None."""
    return of_account(tenant, f"run:{run_id}")


def of_account(tenant: str, account: str) -> Budget | None:
    """That budget, or None."""
    with database.session() as session:
        return session.get(Budget, (tenant, account))


def today(tenant: str) -> Budget | None:
    """What has been spent of the daily budget today (UTC); None before the first charge."""
    latest = select(Budget).where(
        Budget.tenant == tenant,
        Budget.account == func.concat("daily:", func.to_char(func.timezone("utc", func.now()), "YYYY-MM-DD")),
    )
    with database.session() as session:
        return session.scalar(latest)


def set_daily(tenant: str, limits: dict[str, float], on_exceed: OnExceed) -> None:
    """Limit what the tenant's runs may spend together in a day (UTC); runs that have begun keep drawing as they did."""
    row = {"tenant": tenant, "account": DAILY, "limits": limits, "on_exceed": on_exceed}
    change = {"limits": limits, "on_exceed": on_exceed}
    with database.session() as session:
        statement = insert(Budget).values(row).on_conflict_do_update(index_elements=["tenant", "account"], set_=change)
        session.execute(statement)


def drop_daily(tenant: str) -> None:
    """Take the daily limits away. Raises NotFound when there are none."""
    with database.session() as session:
        found = session.get(Budget, (tenant, DAILY))
        if found is None:
            raise NotFound("There is no daily budget.")
        session.delete(found)


def change_of_run(tenant: str, run_id: str, limits: dict[str, float], on_exceed: OnExceed) -> list[dict[str, Any]]:
    """Give the run this budget, keeping what it has spent; returns the events. Raises NotFound for an unknown run."""
    events = database.call("change_run_budget", tenant, run_id, database.json(limits), on_exceed)
    if events is None:
        raise NotFound(f"There is no run {run_id}.")
    return events
