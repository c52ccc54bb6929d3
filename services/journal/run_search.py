"""Finding runs: by status, text, agent, label and time, in pages. The gateway's lists and what is done in bulk."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, or_, select

from services import database
from services.journal.runs import Run


@dataclass(frozen=True)
class Filter:
    """Which runs are meant; None means any. statuses: any of them, where "live" stands for all that have not ended.

    text: found in the request, the answer or the id, whatever the case. labels: all of these must be on the run.
    since ≤ created < until.
    """

    statuses: tuple[str, ...] = ()
    text: str | None = None
    agent: str | None = None
    conversation_id: str | None = None
    labels: dict[str, str] | None = None
    since: datetime | None = None
    until: datetime | None = None


ANY = Filter()
Order = Literal["-createdAt", "createdAt", "-finishedAt", "finishedAt"]


def listed(
    tenant: str,
    wanted: Filter = ANY,
    *,
    limit: int,
    before: tuple[datetime, UUID] | None = None,
    order: Order = "-createdAt",
    among: tuple[str, ...] = (),
) -> list[Run]:
    """A tenant's runs that fit; `before` is the (time, id) of the last one on the previous page.

    order: by the time of creation or (then only those that have ended) of their end, `-` for the newest first.
    among: statuses of which theirs must be one, too. A rare text or label is looked for along the whole history.
    """
    at = Run.finished_at if order.endswith("finishedAt") else Run.created_at
    query = select(Run).where(Run.tenant == tenant, at.is_not(None), *_conditions(wanted))
    if before:
        there = func.row(at, Run.id)
        query = query.where(there < func.row(*before) if order.startswith("-") else there > func.row(*before))
    if among:
        query = query.where(_of_status(among))
    by = (at.desc(), Run.id.desc()) if order.startswith("-") else (at, Run.id)
    with database.session() as session:
        return list(session.scalars(query.order_by(*by).limit(limit)))


def _of_status(statuses: tuple[str, ...]) -> ColumnElement[bool]:
    named = [status for status in statuses if status != "live"]
    return or_(Run.status.in_(named), Run.phase.is_not(None)) if "live" in statuses else Run.status.in_(named)


def _conditions(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    if wanted.statuses:
        yield _of_status(wanted.statuses)
    if wanted.text:
        words = [each.icontains(wanted.text, autoescape=True) for each in (Run.request, Run.answer, cast(Run.id, Text))]
        yield or_(*words)
    for column, value in ((Run.agent, wanted.agent), (Run.conversation_id, wanted.conversation_id)):
        if value:
            yield column == value
    if wanted.labels:
        yield Run.labels.contains(wanted.labels)
    if wanted.since:
        yield Run.created_at >= wanted.since
    if wanted.until:
        yield Run.created_at < wanted.until
