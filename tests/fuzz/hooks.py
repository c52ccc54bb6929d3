"""What schemathesis has to be told: what it may not send, and how lines of JSON are written."""

from typing import Any

import schemathesis


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """No MCP server that is started by a command, which workers would run on this machine."""
    return not (isinstance(body, dict) and body.get("command"))


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: Any) -> bytes:
    """Text as it is."""
    return str(value).encode(errors="replace")
