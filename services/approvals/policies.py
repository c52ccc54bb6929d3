"""The policy: rules that allow, ask for or deny a call by tool, arguments and agent. Evaluated where tools are run.

Rules of a tenant are looked at in the order of their position; the first that fits decides. Where none fits, the tool's
own permission holds, and in a run that untrusted content has entered, what acts on the outside is asked for.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID, uuid4

import orjson
from jsonschema import Draft202012Validator
from sqlalchemy import DateTime, Float, Index, Integer, Text, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import clock, database
from services.errors import NotFound
from services.tools.contract import Permission

FRESH_SECONDS = 1.0


class Policy(database.Base):
    """One rule. tool, agent: patterns like `mail_*`; a rule without agent fits all.

    arguments: by argument name, a pattern that its text fits, or a JSON Schema that its value fits; an argument that
    the call does not have fits nothing. even_tainted: whether an `allow` also holds in a run that untrusted content has
    entered. expires: seconds that an approval asked for by this rule stays open.
    """

    __tablename__ = "policies"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer)
    tool: Mapped[str] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(Text)
    arguments: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    decision: Mapped[str] = mapped_column(Text)
    even_tainted: Mapped[bool] = mapped_column()
    expires: Mapped[float | None] = mapped_column(Float)
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (Index("ix_policies_order", "tenant", "position", "created_at"),)


@dataclass(frozen=True)
class Call:
    """What a step is about to do. acts_outside: its effect reaches beyond Perdure."""

    tenant: str
    tool: str
    arguments: Mapping[str, Any]
    permission: Permission
    acts_outside: bool


@dataclass(frozen=True)
class Verdict:
    """What the policy says of a call, and why. expires: seconds for an approval, None for the default."""

    decision: Permission
    why: str
    expires: float | None = None


def add(tenant: str, rule: Mapping[str, Any]) -> Policy:
    """A new rule; `rule` has the fields of Policy but id, tenant and created_at."""
    made = Policy(id=uuid4(), tenant=tenant, created_at=clock.now(), **rule)
    with database.session() as session:
        session.add(made)
    _cache.forget()
    return made


def listed(tenant: str) -> list[Policy]:
    """The rules of a tenant in the order in which they are looked at."""
    query = select(Policy).where(Policy.tenant == tenant).order_by(Policy.position, Policy.created_at)
    with database.session() as session:
        return list(session.scalars(query))


def remove(tenant: str, policy_id: UUID) -> None:
    """Drop a rule. Raises NotFound when this tenant has none of that id."""
    with database.session() as session:
        gone = session.execute(
            delete(Policy).where(Policy.tenant == tenant, Policy.id == policy_id).returning(Policy.id)
        ).scalar()
    _cache.forget()
    if gone is None:
        raise NotFound(f"There is no policy {policy_id}.")


def fitting(call: Call) -> list[Policy]:
    """The tenant's rules that fit tool and arguments, in order; whether the agent fits too is not looked at yet.

    As they were a second ago at most.
    """
    return [rule for rule in _cache.of(call.tenant) if _fits(rule, call)]


def decide(call: Call, rules: list[Policy], *, agent: str | None, tainted: bool) -> Verdict:
    """What holds for this call, given the `fitting` rules, the run's agent and whether untrusted content entered it."""
    for rule in rules:
        if rule.agent is not None and not fnmatchcase(agent or "", rule.agent):
            continue
        if rule.decision == "allow" and tainted and call.acts_outside and not rule.even_tainted:
            continue  # what was allowed for clean runs says nothing of this one
        decision: Permission = rule.decision  # type: ignore[assignment]  # checked when it was stored
        return Verdict(decision, f"the policy for {rule.tool} says {decision}", rule.expires)
    if call.permission == "allow" and tainted and call.acts_outside:
        return Verdict("ask", "content from outside has entered this run, and the step acts on the outside")
    return Verdict(call.permission, f"{call.tool} itself says {call.permission}")


def _fits(rule: Policy, call: Call) -> bool:
    if not fnmatchcase(call.tool, rule.tool):
        return False
    wanted = rule.arguments or {}
    return all(name in call.arguments and _value_fits(call.arguments[name], what) for name, what in wanted.items())


def _value_fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, str):
        return fnmatchcase(value if isinstance(value, str) else orjson.dumps(value).decode(), wanted)
    return Draft202012Validator(wanted).is_valid(value)


class _Cache:
    """All rules, read again when they are more than a second old."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._rules: dict[str, list[Policy]] = {}

    def of(self, tenant: str) -> list[Policy]:
        with self._lock:
            if clock.monotonic() - self._read_at > FRESH_SECONDS:
                found: dict[str, list[Policy]] = {}
                for row in database.insist("policy_rules", again="policy_rules"):
                    found.setdefault(row["tenant"], []).append(Policy(**row))
                self._rules, self._read_at = found, clock.monotonic()
            return self._rules.get(tenant, [])

    def forget(self) -> None:
        self._read_at = float("-inf")


_cache = _Cache()
