"""/api/usage: what the calls of models took and cost, by day, model, agent, run or step."""

from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, declare, queries, run_parts, wire
from gateway.fields import DIGITS, Moment
from gateway.run_parts import ModelUse
from services.spending import usage
from services.spending.usage import Grouping

blueprint = Blueprint("usage", __name__)


class Wanted(queries.Query):
    """Which calls, and in which groups. cursor: how many groups to pass over."""

    by: Grouping = "day"
    since: Moment | None = None
    until: Moment | None = None
    run_id: UUID | None = None
    limit: int = queries.limit(100, 1_000)
    cursor: Annotated[int, Field(ge=0, le=1_000_000, description="The `next` of the page before."), DIGITS] = 0


class UseOfGroup(ModelUse):
    """What the calls of one group took."""

    group: str | None


class Report(TypedDict):
    """The groups, the dearest first (days: the newest)."""

    by: Grouping
    items: list[UseOfGroup]
    next: str | None


@blueprint.get("/api/usage")
@declare.operation(query=Wanted, gives=Report)
def report() -> Response:
    """Groups with their calls, tokens and cost (US dollars); the cost is of the calls whose price is known."""
    asked = queries.read(Wanted)
    found = usage.report(
        authentication.caller().tenant,
        asked.by,
        since=asked.since,
        until=asked.until,
        run_id=asked.run_id,
        limit=asked.cursor + asked.limit + 1,
    )[asked.cursor :]
    page = queries.page(found, asked.limit, _shown, lambda _: str(asked.cursor + asked.limit))
    return wire.reply({"by": asked.by, **page})


def _shown(row: dict[str, Any]) -> UseOfGroup:
    return {"group": row["group"], **run_parts.use(row)}
