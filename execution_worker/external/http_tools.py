"""Registered endpoints as tools: a signed POST with the step's idempotency key; 202 means that the result comes later.

The result of accepted work is posted to the callback URL that the call carries; until then the step sleeps.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import orjson

from services.approvals import callbacks
from services.errors import Failed, Retryable
from services.network import retry_after, web, webhooks
from services.network.refusals import NoReply, Unreached
from services.network.web import Reply, Sending
from services.tools import http_tools
from services.tools.contract import FreeArguments, Retry, Tool, ToolContext, Unsure
from services.tools.http_tools import HttpTool

_MAY_PASS = {408, 409, 425, 429, 503}


def registered() -> Iterator[tuple[str, Tool]]:
    """(source, tool) of every registered endpoint."""
    for row in http_tools.listed():
        yield f"http:{row.url}", _tool(row)


def _tool(row: HttpTool) -> Tool:
    return Tool(
        name=row.name,
        description=row.description,
        function=partial(_call, row),
        arguments=FreeArguments,
        takes_context=True,
        effect=row.effect,  # type: ignore[arg-type]  # checked when it was stored, and so is the permission
        timeout=row.timeout + 5,
        retry=Retry(),
        permission=row.permission,  # type: ignore[arg-type]
        capabilities=tuple(row.capabilities),
        examples=tuple(row.examples),
        untrusted=row.untrusted,
        json_schema=row.schema,
    )


def _call(row: HttpTool, arguments: dict[str, Any], context: ToolContext) -> Any:
    outcome = callbacks.outcome(context, row.name)
    if outcome is not None:
        return _result(row, outcome)
    sending = _sending(row, arguments, context)
    try:
        reply = web.send(sending, limits=web.Limits(seconds=row.timeout, redirects=0))
    except Unreached:
        raise
    except NoReply as error:
        if row.effect == "unsafe":
            raise Unsure(f"{error.detail} Whether it acted is not known.") from error
        raise
    if reply.status == 202:
        raise callbacks.awaited(context, row.name, row.callback_seconds)
    _complain(row, reply)
    return _read(row, reply)


def _sending(row: HttpTool, arguments: dict[str, Any], context: ToolContext) -> Sending:
    host = urlsplit(row.url).hostname or ""
    told = {
        "tool": row.name,
        "arguments": arguments,
        "workflowId": context.run_id,
        "stepId": context.step_id,
        "attempt": context.attempt,
        "userId": context.user_id,
        "idempotencyKey": context.idempotency_key,
        "callbackUrl": callbacks.url(context, row.name),
    }
    body = orjson.dumps(told)
    headers = {
        **context.filled(row.headers, host),
        "Content-Type": "application/json",
        "Idempotency-Key": context.idempotency_key,
    }
    if row.secret is not None:
        headers |= webhooks.signed(context.secret(row.secret, None), context.idempotency_key, body)
    return Sending("POST", row.url, headers, body)


def _complain(row: HttpTool, reply: Reply) -> None:
    if reply.status < 300:
        return
    said = reply.body[:500].decode(errors="replace")
    if reply.status in _MAY_PASS or (reply.status >= 500 and row.effect != "unsafe"):
        raise Retryable(f"{row.name} answered {reply.status}: {said}", retry_after=retry_after.seconds(reply.headers))
    raise Failed(f"{row.name} answered {reply.status}: {said}")


def _read(row: HttpTool, reply: Reply) -> Any:
    if not reply.body:
        return None
    try:
        return orjson.loads(reply.body)
    except orjson.JSONDecodeError as error:
        raise Failed(f"{row.name} answered with something that is not JSON.") from error


def _result(row: HttpTool, outcome: dict[str, Any]) -> Any:
    if "error" in outcome:
        raise Failed(f"{row.name} failed: {outcome['error']}")
    return outcome.get("output")
