"""/api/usage: what the calls of models took and cost, by day, model, agent, run or step."""

from typing import Any, get_args

from flask import Blueprint, Response, request

from gateway import authentication, queries, wire
from services.journal import runs
from services.spending import usage
from services.spending.usage import Grouping

blueprint = Blueprint("usage", __name__)


@blueprint.get("/api/usage")
def report() -> Response:
    """Groups with their calls, tokens and cost (US dollars); the cost is of the calls whose price is known."""
    queries.known_only("by", "since", "until", "runId", "limit")
    by: Any = queries.choice("by", list(get_args(Grouping))) or "day"
    run_id = request.args.get("runId")
    found = usage.report(
        authentication.caller().tenant,
        by,
        since=queries.moment("since"),
        until=queries.moment("until"),
        run_id=runs.parse_id(run_id) if run_id else None,
        limit=queries.integer("limit", 100, least=1, most=1_000),
    )
    return wire.reply({"by": by, "items": [_shown(row) for row in found], "next": None})


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "group": row["group"],
        "calls": row["calls"],
        "inputTokens": row["input_tokens"],
        "outputTokens": row["output_tokens"],
        "cachedTokens": row["cached_tokens"],
        "cost": None if row["cost"] is None else float(row["cost"]),
        "unpricedCalls": row["unpriced"],
    }
