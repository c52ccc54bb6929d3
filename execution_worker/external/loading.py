"""Keeps this worker's registry and the catalogue in step with what is registered, in a thread of its own."""

import threading
import time

from execution_worker import registry
from execution_worker.external import http_tools
from services import logs, settings
from services.errors import PerdureError
from services.secrets import redaction
from services.tools import mcp_servers
from services.tools.contract import Tool
from services.tools.mcp_servers import McpServer, Offer

log = logs.get(__name__)
_had_offers = False
_loading = threading.Lock()


def start() -> None:
    """Load what is registered, then look again every two seconds. Called once, at the worker's start."""
    _load()
    threading.Thread(target=_go_on, name="external tools", daemon=True).start()


def look() -> None:
    """One look: ask the MCP servers that are due for their tools, then take up what changed."""
    for server in mcp_servers.due(settings.current().mcp_list_seconds):
        threading.Thread(target=_list, args=(server,), name="mcp list", daemon=True).start()
    _load()


def _go_on() -> None:
    while True:
        time.sleep(settings.current().external_seconds)
        try:
            look()
        except Exception:
            log.exception("The registered tools could not be looked at")


def _list(server: McpServer) -> None:
    from execution_worker.external import mcp_sessions  # the protocol's library is slow to load, and seldom needed

    try:
        mcp_servers.record(server, mcp_sessions.definitions(server))
        _load()
    except PerdureError as error:
        log.warning("An MCP server can't be used", server=server.name, error=error.detail)
        mcp_servers.fail(server, redaction.clean(error.detail))
    except Exception as error:
        log.exception("An MCP server could not be asked for its tools", server=server.name)
        mcp_servers.fail(server, f"{type(error).__name__}")


def _load() -> None:
    with _loading:
        _take_up()


def _take_up() -> None:
    found = list(http_tools.registered())
    offers = mcp_servers.offers()
    if offers or _had_offers:
        found += _of_servers(offers)
    registry.take_up(found)


def _of_servers(offers: list[Offer]) -> list[tuple[str, Tool]]:
    global _had_offers
    from execution_worker.external import mcp_sessions, mcp_tools

    mcp_sessions.forget({offer.server.name for offer in offers})
    _had_offers = bool(offers)
    return [(f"mcp:{offer.server.name}", tool) for offer in offers for tool in mcp_tools.tools_of(offer)]
