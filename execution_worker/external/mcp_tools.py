"""The tools of MCP servers as tools of ours: `server__tool`, results cut to size, effects by the pinned annotations."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from mcp.types import CallToolResult, EmbeddedResource, ResourceLink, TextContent, TextResourceContents

from execution_worker.external import mcp_sessions
from execution_worker.external.mcp_sessions import ServerLost
from services.errors import Failed
from services.tools.contract import Effect, FreeArguments, Retry, Tool, ToolContext, Unsure
from services.tools.mcp_servers import SEPARATOR, McpServer, McpTool, Offer


def tools_of(offer: Offer) -> Iterator[Tool]:
    """The enabled tools of a server."""
    for tool in offer.tools:
        yield _tool(offer.server, tool)


def _tool(server: McpServer, tool: McpTool) -> Tool:
    offered = tool.offered or {}
    return Tool(
        name=f"{server.name}{SEPARATOR}{tool.name}",
        description=offered["description"],
        function=partial(_call, server, tool.name, _effect(offered["annotations"])),
        arguments=FreeArguments,
        takes_context=True,
        effect=_effect(offered["annotations"]),
        timeout=server.timeout + mcp_sessions.CONNECT_SECONDS + 10,
        retry=Retry(),
        permission=server.permission,  # type: ignore[arg-type]  # checked when it was stored
        capabilities=(),
        examples=(),
        untrusted=True,
        egress=tuple(offered["schema"].get("properties", {})) if _is_open(offered["annotations"]) else (),
        json_schema=offered["schema"],
    )


def _is_open(annotations: dict[str, Any]) -> bool:
    """Whether the tool says (or, as the protocol has it, leaves open) that it deals with the world at large."""
    return bool(annotations.get("open_world_hint", True))


def _effect(annotations: dict[str, Any]) -> Effect:
    """Whoever registered the server trusts what it said of its tools then; a change disables them."""
    if annotations.get("read_only_hint"):
        return "pure"
    return "idempotent" if annotations.get("idempotent_hint") else "unsafe"


def _call(server: McpServer, tool: str, effect: Effect, arguments: dict[str, Any], context: ToolContext) -> Any:
    try:
        result = mcp_sessions.call(server, tool, arguments)
    except ServerLost as error:
        if effect == "unsafe" and error.begun:
            raise Unsure(f"{error.detail} Whether it acted is not known.") from error
        raise
    shown = _shown(result, server.max_bytes)
    if result.is_error:
        raise Failed(f"{server.name} says: {shown['text'][:2_000] or 'it failed, without saying why'}")
    return shown


def _shown(result: CallToolResult, limit: int) -> dict[str, Any]:
    """{"text", "content" (other than text, described), "structured", "truncated"}, cut to about `limit` bytes."""
    texts: list[str] = []
    others: list[dict[str, Any]] = []
    for part in result.content:
        if isinstance(part, TextContent):
            texts.append(part.text)
        elif isinstance(part, EmbeddedResource) and isinstance(part.resource, TextResourceContents):
            texts.append(part.resource.text)
        elif isinstance(part, ResourceLink):
            others.append({"type": "link", "uri": str(part.uri), "name": part.name})
        else:
            kind = getattr(part, "mime_type", None)
            others.append({"type": part.type, "mimeType": kind, "size": len(getattr(part, "data", "") or "")})
    text = "\n".join(texts).replace("\x00", "")
    structured = result.structured_content
    too_big = structured is not None and len(str(structured)) > limit
    return {
        "text": text[:limit],
        "content": others[:100],
        "structured": None if too_big else structured,
        "truncated": len(text) > limit or too_big,
    }
