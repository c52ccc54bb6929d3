"""GET /api/tools: what a plan's steps may call."""

from flask import Blueprint, Response

from gateway import known_tools, wire

blueprint = Blueprint("tools", __name__)


@blueprint.get("/api/tools")
def listed() -> Response:
    """Every known tool with the JSON Schema of its arguments."""
    return wire.reply({"items": [wire.tool(tool) for tool in known_tools.current().values()], "next": None})
