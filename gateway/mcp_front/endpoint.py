"""POST /mcp: one request in, one answer out, in either era."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response

from gateway import problems
from gateway.mcp_front import agent_tools, eras, rpc, tasks, tools
from gateway.mcp_front.eras import Call
from gateway.mcp_front.rpc import RpcError
from services.errors import PerdureError

SERVER = {"name": "perdure", "title": "Perdure", "version": "0.1.0"}
INSTRUCTIONS = (
    "Agents are tools: call one with a request, and a durable run answers it, whatever breaks meanwhile. A run that "
    "takes long goes on by itself: look at it with get_run or wait_for_run. list_approvals has what it asks of people."
)
LIST_MILLISECONDS = 5_000  # how long a client may keep the list of tools
STATUS = {
    rpc.PARSE_ERROR: 400,
    rpc.INVALID_REQUEST: 400,
    rpc.INVALID_PARAMS: 400,
    eras.HEADER_MISMATCH: 400,
    eras.MISSING_CAPABILITY: 400,
    eras.UNSUPPORTED_VERSION: 400,
    rpc.METHOD_NOT_FOUND: 404,
}

blueprint = Blueprint("mcp", __name__)


@blueprint.post("/mcp")
def serve() -> Response:
    """Answer a request. A notification is taken, and means nothing here."""
    message: dict[str, Any] = {}
    stateless = True
    try:
        message = rpc.read()
        if "id" not in message or "method" not in message:
            return Response(status=202)
        call = eras.call_of(message)
        stateless = call.stateless
        return rpc.reply(rpc.result(message, _answer(call)))
    except PerdureError as error:
        return _refusal(rpc.of(error), message, stateless)
    except RpcError as error:
        return _refusal(error, message, stateless)


@blueprint.route("/mcp", methods=["GET", "DELETE"])
def no_session() -> Response:
    """There is no session to listen to or to end."""
    made = problems.bare(405, "Method Not Allowed", "Send each request by POST; there are no sessions.")
    made.headers["Allow"] = "POST"
    return made


def _answer(call: Call) -> dict[str, Any]:
    methods = STATELESS if call.stateless else HANDSHAKE
    if call.method not in methods:
        raise RpcError(rpc.METHOD_NOT_FOUND, f"There is no method {call.method[:80]!r}.")
    found = methods[call.method](call)
    if not call.stateless:
        return found
    return {"resultType": "complete", "_meta": {"io.modelcontextprotocol/serverInfo": SERVER}, **found}


def _refusal(error: RpcError, message: dict[str, Any], stateless: bool) -> Response:
    """Before 2026-07-28 an HTTP error would be taken for one of the connection."""
    status = STATUS.get(error.code, 200) if stateless or not message else 200
    return rpc.reply(error.to_wire(message.get("id")), status)


def _discover(call: Call) -> dict[str, Any]:
    return {
        "supportedVersions": [eras.STATELESS],
        "capabilities": {"tools": {}, "extensions": {eras.TASKS: {}}},
        "instructions": INSTRUCTIONS,
        **_keepable(),
    }


def _initialize(call: Call) -> dict[str, Any]:
    asked = call.params.get("protocolVersion")
    version = asked if asked in eras.HANDSHAKE else eras.HANDSHAKE[0]
    return {
        "protocolVersion": version,
        "capabilities": {"tools": {}},
        "serverInfo": SERVER,
        "instructions": INSTRUCTIONS,
    }


def _ping(call: Call) -> dict[str, Any]:
    return {}


def _list_tools(call: Call) -> dict[str, Any]:
    listed = [*tools.listed(), *agent_tools.listed()]
    return {"tools": listed, **(_keepable() if call.stateless else {})}


def _call_tool(call: Call) -> dict[str, Any]:
    name, arguments = call.params.get("name"), call.params.get("arguments") or {}
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise RpcError(rpc.INVALID_PARAMS, "`name` must be a string and `arguments` an object.")
    if name in tools.TOOLS:
        return tools.call(name, arguments)
    return agent_tools.call(name, arguments, call)


def _keepable() -> dict[str, Any]:
    return {"ttlMs": LIST_MILLISECONDS, "cacheScope": "private"}


Method = Callable[[Call], dict[str, Any]]
_BOTH: dict[str, Method] = {"tools/list": _list_tools, "tools/call": _call_tool}
HANDSHAKE: dict[str, Method] = {**_BOTH, "initialize": _initialize, "ping": _ping}
STATELESS: dict[str, Method] = {
    **_BOTH,
    "server/discover": _discover,
    "tasks/get": tasks.get,
    "tasks/update": tasks.update,
    "tasks/cancel": tasks.cancel,
}
