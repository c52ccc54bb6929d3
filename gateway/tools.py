"""GET /api/tools: what a plan's steps may call, all of it or what fits a request best."""

from typing import Annotated, NotRequired

from flask import Blueprint, Response
from pydantic import Field

from gateway import declare, known_tools, queries, wire
from gateway.declare import Page
from gateway.wire import ShownTool
from services.pipeline import phases
from services.tools import lookup

blueprint = Blueprint("tools", __name__)


class Wanted(queries.Query):
    """Without `q` all tools; with it those that fit this request, `limit` at most."""

    q: Annotated[str, Field(max_length=2_000)] | None = None
    limit: int = queries.limit(8, 100)


class FittingTool(ShownTool):
    """A tool; score: how well it fits what was asked for, from 0 to about 1."""

    score: NotRequired[float]


@blueprint.get("/api/tools")
@declare.operation(query=Wanted, gives=Page[FittingTool])
def listed() -> Response:
    """Every known tool with the JSON Schema of its arguments; with `q`, those that fit this request, best first."""
    asked = queries.read(Wanted)
    if not (asked.q and asked.q.strip()):
        return wire.reply(queries.all_of(list(known_tools.current().values()), wire.tool))
    found = lookup.fitting(asked.q, known_tools.current(), asked.limit)
    if found.pending:
        phases.ring_embedding()
    return wire.reply(queries.all_of(found.items, lambda one: {**wire.tool(one.tool), "score": one.score}))
