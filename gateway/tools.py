"""GET /api/tools: what a plan's steps may call."""

from flask import Blueprint, Response

from gateway import declare, known_tools, queries, wire
from gateway.declare import Page
from gateway.wire import ShownTool

blueprint = Blueprint("tools", __name__)


@blueprint.get("/api/tools")
@declare.operation(gives=Page[ShownTool])
def listed() -> Response:
    """Every known tool with the JSON Schema of its arguments."""
    return wire.reply(queries.all_of(list(known_tools.current().values()), wire.tool))
