"""The tool http_request: any HTTP request, through the guarded client; with handles for secrets in headers and body."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import orjson
from pydantic import Field

from execution_worker import page_reading
from services.errors import Failed, Retryable
from services.network import retry_after, web
from services.network.refusals import NoReply, Unreached
from services.network.web import Reply, Sending
from services.tools.contract import Effect, ToolContext, Unsure, tool

MAX_TEXT = 100_000
Method = Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
Header = Annotated[str, Field(max_length=8_000, pattern=r"^[^\r\n]*$")]
EFFECTS: dict[str, Effect] = {
    "GET": "pure", "HEAD": "pure", "OPTIONS": "pure", "PUT": "idempotent", "DELETE": "idempotent",
}  # fmt: skip  # RFC 9110 §9.2; of POST and PATCH nobody knows
_NOT_DONE = {408, 425, 429, 503}  # the server says that it did not act
_OURS = {"host", "content-length", "transfer-encoding", "connection"}


@tool(
    effect="unsafe",
    effect_by=("method", EFFECTS),
    untrusted=True,
    egress=("url", "headers", "data", "body"),
    timeout=60,
    capabilities=["call an HTTP API", "send data to a web service", "post", "put", "delete"],
)
def http_request(
    context: ToolContext,
    url: str,
    method: Method = "GET",
    headers: dict[str, Header] | None = None,
    data: Any = None,
    body: str | None = None,
) -> dict[str, Any]:
    """Send an HTTP request and give the reply, whatever its status: for APIs; to read a page, use fetch_page.

    `data` (sent as JSON) or `body` (as it is) is what to send. `{{secret:NAME}}` in headers, data or body
    stands for a secret. Returns {"url",
    "status", "headers", "body": the text (at most 100,000 characters), "json": the body when it is JSON, "truncated"}.
    """
    if data is not None and body is not None:
        raise Failed("Give `data` or `body`, not both.")
    sending = _sending(context, url, method, headers or {}, (data, body))
    try:
        reply = web.send(sending, limits=web.Limits(seconds=50))
    except Unreached:
        raise
    except NoReply as error:
        if method in EFFECTS:
            raise
        raise Unsure(f"{error.detail} Whether the request was acted on is not known.") from error
    _complain(reply, method)
    return _shown(reply)


def _sending(context: ToolContext, url: str, method: str, headers: dict[str, str], content: tuple[Any, Any]) -> Sending:
    host = urlsplit(url).hostname or ""
    data, body = context.filled(content[0], host), context.filled(content[1], host)
    given = {name: value for name, value in context.filled(headers, host).items() if name.lower() not in _OURS}
    known = {name.lower() for name in given}
    if data is not None and "content-type" not in known:
        given["Content-Type"] = "application/json"
    if method not in {"GET", "HEAD", "OPTIONS"} and "idempotency-key" not in known:
        given["Idempotency-Key"] = context.idempotency_key
    raw = orjson.dumps(data) if data is not None else body.encode() if body is not None else None
    return Sending(method, url, given, raw)


def _complain(reply: Reply, method: str) -> None:
    """Raise Retryable where trying again may help and does no harm."""
    if reply.status in _NOT_DONE or (reply.status >= 500 and method in EFFECTS):
        raise Retryable(f"{reply.url} answered {reply.status}.", retry_after=retry_after.seconds(reply.headers))


def _shown(reply: Reply) -> dict[str, Any]:
    text = page_reading.decoded(reply.body, reply.charset).replace("\x00", "")
    parsed = None
    if "json" in reply.content_type:
        try:
            parsed = orjson.loads(reply.body)
        except orjson.JSONDecodeError:
            parsed = None  # it only says that it is JSON; the text is there
    return {
        "url": reply.url,
        "status": reply.status,
        "headers": dict(reply.headers),
        "body": text[:MAX_TEXT],
        "json": parsed,
        "truncated": len(text) > MAX_TEXT,
    }
