"""Every error as RFC 9457 problem JSON: our own, Flask's, and what nobody foresaw. Installed by create_app."""

import uuid

from flask import Flask, Response, request
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing.exceptions import WebsocketMismatch
from wsproto.utilities import RemoteProtocolError

from gateway import wire
from services import logs, settings
from services.errors import NotAuthenticated, PerdureError, TooLarge, TooMany, Unavailable

DISCARD_BYTES = 16 * 1_048_576
REMEDIES = {
    404: "There is nothing at this address. The API lives under /api, the page at /.",
    405: "This address does not take {method}; it takes {allowed}.",
    414: "The address is too long; send long values in the body.",
    429: "Too many requests; try again later.",
}

log = logs.get(__name__)


def install(app: Flask) -> None:
    """Answer every error of `app` as a problem."""
    app.register_error_handler(PerdureError, response)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(RemoteProtocolError, _bad_handshake)
    for away in (OperationalError, InterfaceError, TimeoutError):
        app.register_error_handler(away, _database_away)
    app.register_error_handler(Exception, _unforeseen)


def response(error: PerdureError) -> Response:
    """The HTTP response that tells of `error`."""
    made = wire.reply(error.to_problem(), status=error.status, content_type="application/problem+json")
    if isinstance(error, NotAuthenticated):
        made.headers["WWW-Authenticate"] = 'Bearer realm="perdure"'
    if isinstance(error, TooMany):
        made.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unavailable):
        made.headers["Retry-After"] = "2"
    return made


def bare(status: int, title: str, detail: str) -> Response:
    """A problem that no error class stands for."""
    problem = {
        "type": f"urn:perdure:problem:{title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    return wire.reply(problem, status=status, content_type="application/problem+json")


def _from_http(error: HTTPException) -> Response:
    if isinstance(error, RequestEntityTooLarge):
        _discard_body()
        return response(TooLarge(f"At most {settings.current().max_body_bytes} bytes are taken; send less at a time."))
    if isinstance(error, WebsocketMismatch):
        return bare(400, error.name, "This address speaks WebSocket; for SSE or polling use /api/runs/{id}/events.")
    allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    remedy = REMEDIES.get(error.code or 500, error.description or "").format(method=request.method, allowed=allowed)
    made = bare(error.code or 500, error.name, remedy)
    if allowed:
        made.headers["Allow"] = allowed
    return made


def _discard_body() -> None:
    """Read what the client still sends: a connection closed on unread data is reset, and the answer with it."""
    stream, left = request.environ["wsgi.input"], min(request.content_length or 0, DISCARD_BYTES)
    while left > 0:
        piece = stream.read(min(left, 65_536))
        if not piece:
            return
        left -= len(piece)


def _bad_handshake(error: RemoteProtocolError) -> Response:
    return bare(400, "Bad Request", f"This is not a WebSocket handshake: {error}.")


def _database_away(error: Exception) -> Response:
    log.error("The database does not answer", path=request.path, error=str(error).splitlines()[0])
    return response(Unavailable("The database does not answer; try again in a moment."))


def _unforeseen(error: Exception) -> Response:
    number = uuid.uuid4().hex[:12]
    log.error("A request failed", error_id=number, method=request.method, path=request.path, exc_info=error)
    return bare(500, "Internal Server Error", f"Something failed that we did not foresee; the log has it as {number}.")
