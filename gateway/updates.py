"""WS /api/agent/updates?workflowId=…&after=…: a run's events as they happen.

Everything that can be refused is refused before the handshake, so the client gets a problem it can read.
"""

from typing import Any

from flask import Blueprint, g, request
from flask_sock import Sock
from simple_websocket import Server

from gateway import authentication, queries
from gateway.streams import capacity, following, websocket
from services.errors import Unavailable
from services.journal import runs

SOCKET_OPTIONS: dict[str, Any] = {"subprotocols": ["perdure"], "max_message_size": 4_096}
LATEST_SEQ = 2_147_483_647

blueprint = Blueprint("updates", __name__)
sock = Sock()


@blueprint.before_request
def _vet() -> None:
    queries.known_only("workflowId", "after")
    run_id = request.args.get("workflowId")
    if not run_id:
        raise queries.refused("workflowId", "is required: the id that POST /api/agent/start answered.")
    after = queries.integer("after", 0, least=0, most=LATEST_SEQ)
    capacity.check()
    g.followed = runs.get(authentication.caller().tenant, run_id)
    g.after = following.checked_after(g.followed, after)


@sock.route("/api/agent/updates", bp=blueprint)
def updates(client: Server) -> None:
    """One text frame an event, from `after` on; ends with the run."""
    try:
        with capacity.place():
            websocket.serve(client, following.follow(g.followed, g.after))
    except Unavailable as full:
        client.close(websocket.TRY_LATER, full.detail[:120])
