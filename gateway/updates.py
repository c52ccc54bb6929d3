"""WS /api/agent/updates?workflowId=…&after=…: a run's events as they happen; commands come in (commands.py).

Everything that can be refused is refused before the handshake, so the client gets a problem it can read.
"""

from typing import Annotated, Any

from flask import Blueprint, g
from flask_sock import Sock
from pydantic import Field
from simple_websocket import Server

from gateway import authentication, commands, declare, queries
from gateway.declare import JSON, Text
from gateway.fields import DIGITS, Name
from gateway.streams import capacity, following, modes, standing, websocket
from gateway.streams.inbox import Inbox
from gateway.streams.modes import Modes
from services.errors import Unavailable
from services.journal import runs

SOCKET_OPTIONS: dict[str, Any] = {
    "subprotocols": ["perdure"],
    "max_message_size": 65_536,
    "event_class": websocket.Bell,
}
LATEST_SEQ = 2_147_483_647

blueprint = Blueprint("updates", __name__)
sock = Sock()


class Followed(queries.Query):
    """Which run, from where on, and which events."""

    workflow_id: Annotated[Name, Field(description="The id that POST /api/agent/start answered.")]
    after: Annotated[int, Field(ge=0, le=LATEST_SEQ, description="The last number that you have."), DIGITS] = 0
    modes: Modes = Field(default_factory=list)
    ticket: Annotated[str | None, Field(description="What POST /api/tickets gave, where no header can be sent.")] = None


@blueprint.before_request
def _vet() -> None:
    asked = queries.read(Followed)
    capacity.check()
    g.followed = runs.get(authentication.caller().tenant, asked.workflow_id)
    g.after = following.checked_after(g.followed, asked.after)
    g.wanted = modes.names(asked.modes)


@sock.route("/api/agent/updates", bp=blueprint)
@declare.operation(query=Followed, gives={101: Text(JSON, "One text frame an event.")})
def updates(client: Server) -> None:
    """One text frame an event, from `after` on; ends with the run. Commands are answered in between."""
    run: runs.Run = g.followed
    inbox = Inbox()
    client.event.heard = inbox.wake
    talk = websocket.Talk(g.wanted, lambda said: commands.answered(run, said))
    try:
        with capacity.place():
            lives = authentication.still_lives()
            batches = following.follow(run, g.after, tick=standing.tick(lives), inbox=inbox)
            websocket.serve(client, standing.while_known(batches, lives), talk)
    except Unavailable as full:
        client.close(websocket.TRY_LATER, full.detail[:120])
