"""Flow keys: what limits how many steps run at once and how many start in a period; and the steps that wait at them.

A key is `tool:<name>` or `tenant:<name>` (of the whole system: its limit holds over all tenants), or `agent:<name>` or
a free name that steps give as `flow` (of the tenant that set it). What runs is counted from the steps themselves, under
the key's row lock, so there is no counter that could drift: over the steps of every tenant, whoever asks.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, CheckConstraint, DateTime, Double, Index, Integer, SmallInteger, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services import database, tenants
from services.errors import BadInput, NotFound
from services.journal.plan_shape import FLOW_KEY

MOST_STARTS = 1_000
_SHARED = re.compile(r"(tool|tenant):.{1,128}")
_OWNED = re.compile(rf"(agent:.{{1,200}}|{FLOW_KEY})")


class FlowKey(database.Base):
    """A limit. name: the key, after `<tenant>/` where it belongs to a tenant.

    parallelism: how many of its steps may run at once. rate: how many may start in any `period` seconds. starts: when
    the last `rate` ones did. virtual_time: the highest turn that was granted, where a newcomer's turns begin.
    """

    __tablename__ = "flow_keys"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    parallelism: Mapped[int | None] = mapped_column(Integer)
    rate: Mapped[int | None] = mapped_column(Integer)
    period: Mapped[float | None] = mapped_column(Double)
    paused: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    starts: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)), server_default=text("'{}'"))
    virtual_time: Mapped[float] = mapped_column(Double, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (CheckConstraint("(rate is null) = (period is null)", name="rate_has_period"),)


class FlowWait(database.Base):
    """A ready step that waits for its turn at a key. granted_at: its turn has come and a slot is kept for it."""

    __tablename__ = "flow_waits"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    step_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    tenant: Mapped[str] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(SmallInteger)
    turn: Mapped[float] = mapped_column(Double)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    granted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        # the next in line
        Index("ix_flow_waits_line", "name", "priority", "turn", postgresql_where=text("granted_at is null")),
        # the last turn that a tenant has
        Index("ix_flow_waits_tenant", "name", "tenant", "turn"),
    )


@dataclass(frozen=True)
class Limit:
    """A key as people see it, with what happens at it now. started: starts within the present period."""

    key: str
    parallelism: int | None
    rate: int | None
    period: float | None
    paused: bool
    running: int
    waiting: int
    started: int


@dataclass(frozen=True)
class Turn:
    """Where a waiting step stands. before: how many are granted their turn earlier."""

    key: str
    running: int
    parallelism: int | None
    rate: int | None
    period: float | None
    paused: bool
    before: int
    since: datetime


def is_shared(key: str) -> bool:
    """Whether the key belongs to the whole system, not to one tenant."""
    return _SHARED.fullmatch(key) is not None


@tenants.every()
def set_limit(tenant: str, key: str, *, parallelism: int | None, rate: int | None, period: float | None) -> None:
    """Make or change a limit; live steps of this key that have not started obey it from now on.

    Raises BadInput for what is no key.
    """
    name = _name(tenant, key)
    database.call("flow_set", name, parallelism, rate, period)
    for run_id in database.call("flow_unmarked", name):
        database.call("flow_mark", run_id)


@tenants.every()
def remove(tenant: str, key: str) -> None:
    """Take the limit away; call `release` to let go on who waited. Raises NotFound."""
    if not database.call("flow_remove", _name(tenant, key)):
        raise _unknown(key)


@tenants.every()
def pause(tenant: str, key: str, *, paused: bool = True) -> None:
    """Let no step of this key start until it is resumed (paused=False). Raises NotFound."""
    if not database.call("flow_pause", _name(tenant, key), paused):
        raise _unknown(key)


@tenants.every()
def get(tenant: str, key: str) -> Limit:
    """The limit with its live counts. Raises NotFound."""
    found = database.call("flow_counts", _name(tenant, key), tenant)
    if not found:
        raise _unknown(key)
    return _limit(tenant, found[0])


@tenants.every()
def listed(tenant: str) -> list[Limit]:
    """All limits that this tenant's steps may meet, with their live counts."""
    return [_limit(tenant, row) for row in database.call("flow_counts", None, tenant)]


def names_of(tenant: str, keys: list[str]) -> list[str]:
    """What these keys are called in the tables. Raises BadInput for what is no key."""
    return [_name(tenant, key) for key in keys]


@tenants.every()
def release(name: str) -> list[tuple[str, str]]:
    """Grant what is free at a key to the next in line; returns (run, step) of those to ring. Safe at any time."""
    return [(run_id, step_id) for run_id, step_id in database.call("flow_release", name)]


@tenants.every()
def names_with_waits() -> list[str]:
    """The keys at which some step waits."""
    return database.call("flow_waited_at")


@tenants.every()
def turn_of(tenant: str, run_id: UUID, step_id: str) -> Turn | None:
    """Where a step stands that waits for its turn; None when it does not."""
    found: dict[str, Any] | None = database.call("flow_turn", run_id, step_id)
    if found is None:
        return None
    key = found["key"].removeprefix(f"{tenant}/")
    return Turn(**{**found, "key": key, "since": datetime.fromisoformat(found["since"])})


def _name(tenant: str, key: str) -> str:
    if is_shared(key):
        return key
    if _OWNED.fullmatch(key):
        return f"{tenant}/{key}"
    raise BadInput(f"{key!r} is no key; give tool:<name>, tenant:<name>, agent:<name>, or a name that steps give.")


def _unknown(key: str) -> NotFound:
    return NotFound(f"There is no limit for {key!r}.")


def _limit(tenant: str, row: dict[str, Any]) -> Limit:
    name = row.pop("name")
    return Limit(key=name if is_shared(name) else name.removeprefix(f"{tenant}/"), **row)
