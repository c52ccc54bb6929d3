"""The tool publish: deliver a message to a URL, later if wanted, with retries, a signature and one id."""

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

import orjson
from pydantic import Field

from services import clock
from services.errors import Failed, Retryable
from services.network import retry_after, web, webhooks
from services.network.web import Sending
from services.tools.contract import Retry, ToolContext, WaitUntil, tool

_MAY_PASS = {408, 409, 425, 429}


@tool(
    effect="idempotent",
    timeout=40,
    retry=Retry(attempts=8, base=2, cap=600),
    capabilities=["deliver a message or event to a URL", "webhook", "notify a service", "publish later"],
)
def publish(
    context: ToolContext,
    url: str,
    message: Any,
    delay: Annotated[float, Field(ge=0, le=366 * 86_400)] = 0,
    secret: str | None = None,
    headers: dict[str, Annotated[str, Field(max_length=8_000, pattern=r"^[^\r\n]*$")]] | None = None,
) -> dict[str, Any]:
    """Deliver `message` (any JSON) to `url` by POST, after `delay` seconds, until the other side takes it (8 attempts).

    `secret` names the secret to sign with (Standard Webhooks headers); `webhook-id` and `Idempotency-Key` are the same
    on every attempt, so the other side can tell a repetition. Returns {"status", "id", "text"}.
    """
    if delay and not context.waited:
        raise WaitUntil(clock.now() + timedelta(seconds=delay))
    host = urlsplit(url).hostname or ""
    body = orjson.dumps(message)
    message_id = context.idempotency_key
    sent = {
        **context.filled(headers or {}, host),
        "Content-Type": "application/json",
        "Idempotency-Key": message_id,
        "webhook-id": message_id,
    }
    if secret is not None:
        sent |= webhooks.signed(context.secret(secret, host), message_id, body)
    reply = web.send(Sending("POST", url, sent, body), limits=web.Limits(seconds=30))
    if reply.status >= 500 or reply.status in _MAY_PASS:
        raise Retryable(f"{reply.url} answered {reply.status}.", retry_after=retry_after.seconds(reply.headers))
    if reply.status >= 300:
        raise Failed(f"{reply.url} answered {reply.status} and did not take the message.")
    return {"status": reply.status, "id": message_id, "text": f"Delivered to {url} ({reply.status})."}
