"""A small MCP server for tests: `python tests/mcp_server.py` speaks stdio, with a port as argument streamable HTTP.

What the tool `echo` says of itself stands in the file that MCP_DESCRIPTION names, read at the start.
"""

import os
import sys
import time
from pathlib import Path

from mcp.server.mcpserver import MCPServer

server = MCPServer("fixture")
description = Path(os.environ["MCP_DESCRIPTION"]).read_text() if "MCP_DESCRIPTION" in os.environ else "Say it again."


@server.tool(description=description, annotations={"readOnlyHint": True, "openWorldHint": False})
def echo(text: str) -> str:
    return text


@server.tool(annotations={"readOnlyHint": True, "openWorldHint": False})
def big(size: int) -> str:
    """Answer with so many characters."""
    return "x" * size


@server.tool(annotations={"readOnlyHint": True, "openWorldHint": False})
def slow(seconds: float) -> str:
    """Answer after a while."""
    time.sleep(seconds)
    return "done"


@server.tool()
def crash() -> str:
    """Die in the middle of the call."""
    os._exit(1)


@server.tool(annotations={"readOnlyHint": True})
def fail() -> str:
    """Fail."""
    raise ValueError("this went wrong")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run("stdio")
