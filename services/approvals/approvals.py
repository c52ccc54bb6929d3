"""Approvals: what a step asks of a person (may I? which one?) or of another system (are you done?), and the decision.

The step waits as a row and holds no worker; the decision makes it ready again. An approval is bound by a hash to the
step's effect, tool and exact arguments, so none is ever used for another call (journal/functions/9_approvals.sql).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import DateTime, ForeignKey, Index, Integer, Text, UniqueConstraint, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.errors import BadInput, FieldError, Gone, NotFound
from services.journal import surgery
from services.journal.steps import Step, StepStatus
from services.journal.surgery import Changed
from services.tools import catalogue
from services.tools.schema_check import argument_faults

FOR_PEOPLE = ("approval", "question")
STATUSES = ("open", "approved", "rejected", "answered", "expired", "void")


class Approval(database.Base):
    """One thing asked. kind: approval (of a call), question (to a person), callback (of another system),
    signal (that something has happened).

    attempt: the attempt of the step that asked. arguments: as the call would have them. reason: why it is asked for.
    question: {text, choices}. status: open, approved, rejected, answered, expired. decision: {arguments} of an edited
    approval, {reason} of a rejection, {answer} of an answer.
    """

    __tablename__ = "approvals"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    tenant: Mapped[str] = mapped_column(Text)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    step_id: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text)
    tool: Mapped[str] = mapped_column(Text)
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str | None] = mapped_column(Text)
    question: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    status: Mapped[str] = mapped_column(Text, server_default=text("'open'"))
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[str | None] = mapped_column(Text)
    decision: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        # what a step asked, found by what it is about to do
        UniqueConstraint("run_id", "step_id", "hash"),
        # the inbox
        Index("ix_approvals_open", "tenant", "requested_at", postgresql_where=text("status = 'open'")),
        Index(None, "tenant", "requested_at", "id"),
    )


@dataclass(frozen=True)
class Decision:
    """What was decided for a call. status: open (not yet), approved, rejected, answered or expired."""

    status: str
    by: str | None
    details: dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """What the policy needs to know of a run: its agent, and the tools whose steps have succeeded in it."""

    agent: str | None
    tools: frozenset[str]


def hash_of(kind: str, effect_key: str, tool: str, arguments: Any) -> str:
    """What an approval is bound to: this kind of asking, for this effect, by this tool with exactly these arguments."""
    bound = orjson.dumps([kind, effect_key, tool, arguments], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(bound).hexdigest()


def facts(run_id: str) -> Facts:
    """The facts of this run as they are now. Like the next two: for a worker at a call, until Postgres answers."""
    found = database.insist("permission_facts", run_id, again="permission_facts")
    return Facts(found["agent"], frozenset(found["tools"]))


def spelled_out(run_id: str, step_id: str, what: str, tools: list[str]) -> bool:
    """Whether `what` stands word for word in the request, the first plan or an output of one of these tools."""
    return bool(database.insist("was_spelled_out", run_id, step_id, what, tools, again="was_spelled_out"))


def decision_on(run_id: str, step_id: str, hash: str) -> Decision | None:
    """What was decided for this call; None when nobody was asked, or the decision has been used up by a failure."""
    found = database.insist("decision_on", run_id, step_id, hash, again="decision_on")
    return Decision(found["status"], found["by"], found["details"] or {}) if found else None


def listed(
    tenant: str,
    *,
    status: str | None = "open",
    run_id: UUID | None = None,
    limit: int = 200,
    kinds: Sequence[str] = FOR_PEOPLE,
    after: tuple[datetime, UUID] | None = None,
) -> list[tuple[Approval, str]]:
    """Approvals with the state they are in, oldest first. status: one of STATUSES, or None for all.

    void: nobody waits for it any more, since its run ended or its step was changed. kinds: those for people, or others.
    after: the (requested_at, id) of the last one on the page before.
    """
    query = _with_step().where(Approval.tenant == tenant, Approval.kind.in_(kinds))
    if run_id is not None:
        query = query.where(Approval.run_id == run_id)
    if after is not None:
        query = query.where(func.row(Approval.requested_at, Approval.id) > func.row(*after))
    if status in {"open", "void"}:
        waits = (Step.status == StepStatus.WAITING) & (Step.attempt == Approval.attempt)
        query = query.where(Approval.status == "open", waits if status == "open" else ~waits)
    elif status is not None:
        query = query.where(Approval.status == status)
    with database.session() as session:
        rows = session.execute(query.order_by(Approval.requested_at, Approval.id).limit(limit))
        return [(approval, _state(approval, step)) for approval, step in rows]


def waiting(
    tenant: str, signal: str | None, *, limit: int, after: tuple[datetime, UUID] | None = None
) -> list[Approval]:
    """The steps that wait for this signal, or for any, oldest first; `after` as in `listed`."""
    waits = (Step.status == StepStatus.WAITING) & (Step.attempt == Approval.attempt)
    query = _with_step().where(Approval.tenant == tenant, Approval.kind == "signal", Approval.status == "open", waits)
    if signal is not None:
        query = query.where(Approval.arguments["event"].astext == signal)
    if after is not None:
        query = query.where(func.row(Approval.requested_at, Approval.id) > func.row(*after))
    with database.session() as session:
        rows = session.execute(query.order_by(Approval.requested_at, Approval.id).limit(limit))
        return [approval for approval, _ in rows]


def get(tenant: str, approval_id: str) -> tuple[Approval, str]:
    """One approval with its state. Raises NotFound when this tenant has none of that id."""
    query = _with_step().where(Approval.tenant == tenant, Approval.id == _parsed(approval_id))
    with database.session() as session:
        row = session.execute(query).first()
    if row is None:
        raise NotFound(f"There is no approval {approval_id}.")
    return row[0], _state(row[0], row[1])


def approve(tenant: str, approval_id: str, *, by: str, arguments: dict[str, Any] | None = None) -> Changed:
    """Let the call happen, as asked or with these arguments instead.

    This and the next two raise NotFound, Conflict (decided already, or nobody waits for it any more), Gone (expired)
    and BadInput (arguments that don't fit the tool).
    """
    approval, _ = get(tenant, approval_id)
    if arguments is not None:
        _check(approval, arguments)
    return _decide(tenant, approval, "approved", {} if arguments is None else {"arguments": arguments}, by)


def reject(tenant: str, approval_id: str, *, by: str, reason: str | None = None) -> Changed:
    """Refuse; the step fails with this reason."""
    approval, _ = get(tenant, approval_id)
    return _decide(tenant, approval, "rejected", {} if reason is None else {"reason": reason}, by)


def answer(tenant: str, approval_id: str, *, by: str, answer: Any) -> Changed:
    """Answer a question. One with choices takes one of these."""
    approval, _ = get(tenant, approval_id)
    choices = (approval.question or {}).get("choices")
    if choices and answer not in choices:
        detail = f"must be one of {', '.join(map(str, choices))}."
        raise BadInput(f"The answer {detail}", errors=[FieldError("#/answer", detail)])
    return _decide(tenant, approval, "answered", {"answer": answer}, by)


def _decide(tenant: str, approval: Approval, verb: str, details: dict[str, Any], by: str) -> Changed:
    if (verb == "answered") != (approval.kind != "approval") and verb != "rejected":
        raise BadInput(f"This is {'a question: answer' if approval.kind != 'approval' else 'no question: approve'} it.")
    found = database.call("decide_approval", tenant, str(approval.id), verb, database.json(details), by)
    if found and found.get("expired"):
        raise Gone("This approval has expired; the step has failed or is about to.")
    return surgery.changed(found, f"There is no approval {approval.id}.")


def _check(approval: Approval, arguments: dict[str, Any]) -> None:
    tool = catalogue.listed().get(approval.tool)
    found = argument_faults(arguments, tool.schema) if tool else []
    faults = [FieldError(f"#/arguments{path}", detail) for path, detail in found]
    if faults:
        raise BadInput(f"{faults[0].pointer}: {faults[0].detail}", errors=faults)


def _with_step() -> Any:
    return select(Approval, Step).join(Step, (Step.run_id == Approval.run_id) & (Step.id == Approval.step_id))


def _state(approval: Approval, step: Step) -> str:
    waits = step.status == StepStatus.WAITING and step.attempt == approval.attempt
    return "void" if approval.status == "open" and not waits else approval.status


def _parsed(approval_id: str) -> UUID:
    try:
        return UUID(approval_id)
    except ValueError as error:
        raise NotFound(f"There is no approval {approval_id[:80]}.") from error
