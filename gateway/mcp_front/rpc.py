"""JSON-RPC 2.0 as MCP speaks it: reading a request, its error, and a problem as one."""

from typing import Any

import orjson
from flask import Response, request

from gateway import bodies, wire
from services.errors import BadInput, NotFound, PerdureError

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
PREFIX = "/mcp"


class RpcError(Exception):
    """An error as JSON-RPC tells it."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def to_wire(self, request_id: Any) -> dict[str, Any]:
        """The whole message."""
        error = {"code": self.code, "message": self.message}
        return {"jsonrpc": "2.0", "id": request_id, "error": error | ({"data": self.data} if self.data else {})}


def read() -> dict[str, Any]:
    """The request's body. Raises RpcError when it is no JSON-RPC request."""
    try:
        message = bodies.parsed(request.get_data(cache=False))
    except BadInput as error:
        raise RpcError(PARSE_ERROR, error.detail) from error
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, "Send one JSON-RPC 2.0 message, not a batch.")
    return message


def params(message: dict[str, Any]) -> dict[str, Any]:
    """Its parameters. Raises RpcError when they are no object."""
    given = message.get("params", {})
    if not isinstance(given, dict):
        raise RpcError(INVALID_PARAMS, "`params` must be an object.")
    return given


def result(message: dict[str, Any], found: Any) -> dict[str, Any]:
    """The answer to it."""
    return {"jsonrpc": "2.0", "id": message.get("id"), "result": found}


def of(error: PerdureError) -> RpcError:
    """One of our errors; what could not be used or found is the parameters' fault."""
    theirs = isinstance(error, BadInput | NotFound)
    return RpcError(INVALID_PARAMS if theirs else INTERNAL, error.detail, error.to_problem())


def in_their_words(response: Response) -> Response:
    """A problem below PREFIX (no key, too large, …) as a JSON-RPC error; everything else as it is."""
    if not request.path.startswith(PREFIX) or response.mimetype != "application/problem+json":
        return response
    problem = orjson.loads(response.get_data())
    code = INVALID_REQUEST if response.status_code < 500 else INTERNAL
    response.set_data(orjson.dumps(RpcError(code, problem.get("detail") or problem["title"], problem).to_wire(None)))
    response.content_type = "application/json"
    return response


def reply(body: dict[str, Any], status: int = 200) -> Response:
    """A whole message as the response."""
    return wire.reply(body, status=status)
