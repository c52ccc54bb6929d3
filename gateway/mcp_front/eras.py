"""Two eras of MCP: since 2026-07-28 each request stands for itself, before there was a handshake.

A request of today names its version, method and subject in headers too, so that proxies can route by them; what they
say must be what the body says.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from flask import request

from gateway.mcp_front import rpc
from gateway.mcp_front.rpc import RpcError

STATELESS = "2026-07-28"
HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26")
HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION = -32020, -32021, -32022
TASKS = "io.modelcontextprotocol/tasks"

_META = "io.modelcontextprotocol/"
_SUBJECTS = {"tools/call": "name", "resources/read": "uri", "prompts/get": "name"}
_ENCODED = re.compile(r"=\?base64\?(.*)\?=")


@dataclass(frozen=True)
class Call:
    """A request. stateless: of the era without a handshake. capabilities: what its client can do, as it says."""

    method: str
    params: dict[str, Any]
    stateless: bool
    capabilities: dict[str, Any]

    @property
    def takes_tasks(self) -> bool:
        """Whether the answer may be a task."""
        return TASKS in (self.capabilities.get("extensions") or {})

    @property
    def takes_questions(self) -> bool:
        """Whether the client can put a form before its user."""
        return "elicitation" in self.capabilities


def call_of(message: dict[str, Any]) -> Call:
    """What a message asks. Raises RpcError for a faulty envelope."""
    method = message.get("method")
    if not isinstance(method, str):
        raise RpcError(rpc.INVALID_REQUEST, "`method` must be a string.")
    params = rpc.params(message)
    meta = params.get("_meta") or {}
    version = request.headers.get("MCP-Protocol-Version", "").strip()
    if version in HANDSHAKE or (not version and f"{_META}protocolVersion" not in meta):
        return Call(method, params, False, {})
    _check_envelope(meta)
    _check_headers(version, method, params, meta)
    if version != STATELESS:
        detail = f"The version {version!r} is not spoken here."
        raise RpcError(UNSUPPORTED_VERSION, detail, {"supported": [STATELESS], "requested": version})
    return Call(method, params, True, meta[f"{_META}clientCapabilities"])


def _check_envelope(meta: Any) -> None:
    for name, kind in (("protocolVersion", str), ("clientCapabilities", dict)):
        if not isinstance(meta, dict) or not isinstance(meta.get(_META + name), kind):
            raise RpcError(rpc.INVALID_PARAMS, f"`params._meta` must have {_META + name}.")


def _check_headers(version: str, method: str, params: dict[str, Any], meta: dict[str, Any]) -> None:
    if version != meta[f"{_META}protocolVersion"]:
        raise RpcError(HEADER_MISMATCH, "The header MCP-Protocol-Version is not the version that the body names.")
    if request.headers.get("Mcp-Method", "").strip() != method:
        raise RpcError(HEADER_MISMATCH, "The header Mcp-Method is not the method of the body.")
    field = "taskId" if method.startswith("tasks/") else _SUBJECTS.get(method)
    subject = params.get(field) if field else None
    if subject is not None and _decoded(request.headers.get("Mcp-Name")) != subject:
        raise RpcError(HEADER_MISMATCH, f"The header Mcp-Name is not the {field} of the body.")


def _decoded(value: str | None) -> str | None:
    """A header's text, which is in base64 where it is not plain ASCII. None for what is neither."""
    text = (value or "").strip()
    encoded = _ENCODED.fullmatch(text)
    if encoded is None:
        return text
    try:
        return base64.b64decode(encoded[1], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
