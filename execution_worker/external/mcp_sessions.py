"""Sessions with MCP servers: one per server and process, on an event loop in a thread of its own.

A server that is lost costs the calls under way and nothing else; the next call connects anew.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeVar
from urllib.parse import urlsplit

from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CONNECTION_CLOSED, REQUEST_TIMEOUT, CallToolResult

from services import logs
from services.errors import Failed, Retryable
from services.network import async_web
from services.secrets import handles
from services.tools.mcp_servers import McpServer

Answer = TypeVar("Answer")
CONNECT_SECONDS = 20.0
MOST_TOOLS = 500
WIRE_FACTOR = 20  # bytes of a whole stream, by the bytes of one result

log = logs.get(__name__)
_sessions: dict[str, "_Session"] = {}
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


class ServerLost(Retryable):
    """The MCP server can't be reached, broke off or did not answer in time. begun: the call may have been acted on."""

    def __init__(self, detail: str, *, begun: bool) -> None:
        super().__init__(detail)
        self.begun = begun


def definitions(server: McpServer) -> dict[str, dict[str, Any]]:
    """What the server says of its tools now, by name. Raises ServerLost or Failed."""
    return _ask(server, _list_tools)


def call(server: McpServer, tool: str, arguments: dict[str, Any]) -> CallToolResult:
    """Call a tool. Raises ServerLost, or Failed with what the server said."""
    return _ask(server, lambda client: client.call_tool(tool, arguments))


def forget(names: set[str]) -> None:
    """End the sessions with all servers but these."""
    with _lock:
        gone = [_sessions.pop(name) for name in set(_sessions) - names]
    for session in gone:
        session.end()


def _ask(server: McpServer, ask: Callable[[Client], Awaitable[Answer]]) -> Answer:
    session = _session(server)
    future = asyncio.run_coroutine_threadsafe(session.ask(ask), _running_loop())
    try:
        return future.result(server.timeout + CONNECT_SECONDS + 5)
    except TimeoutError as error:
        future.cancel()
        raise ServerLost(f"The MCP server {server.name} does not answer.", begun=True) from error


async def _list_tools(client: Client) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = None
    while True:
        page = await client.list_tools(cursor=cursor, cache_mode="bypass")
        for tool in page.tools:
            found[tool.name] = {
                "description": tool.description or tool.title or tool.name,
                "schema": tool.input_schema,
                "annotations": tool.annotations.model_dump(exclude_none=True) if tool.annotations else {},
            }
        cursor = page.next_cursor
        if cursor is None or len(found) >= MOST_TOOLS:
            return dict(list(found.items())[:MOST_TOOLS])


class _Session:
    """A connection that is opened at the first call and kept by one task of the loop, which alone may close it."""

    def __init__(self, server: McpServer) -> None:
        self.server = server
        self._client: asyncio.Future[Client] | None = None
        self._over = asyncio.Event()

    async def ask(self, ask: Callable[[Client], Awaitable[Answer]]) -> Answer:
        name, begun = self.server.name, False
        try:
            client = await asyncio.wait_for(asyncio.shield(self._opened()), CONNECT_SECONDS)
            begun = True
            return await asyncio.wait_for(ask(client), self.server.timeout)
        except MCPError as error:
            if error.code not in {CONNECTION_CLOSED, REQUEST_TIMEOUT}:
                raise Failed(f"The MCP server {name} refused: {error.message[:1_000]}") from error
            self.end()
            raise ServerLost(f"The MCP server {name} broke off or did not answer.", begun=begun) from error
        except TimeoutError as error:
            self.end()
            raise ServerLost(f"The MCP server {name} did not answer in time.", begun=begun) from error
        except Failed:
            self.end()
            raise
        except Exception as error:  # whatever a server makes the protocol library raise ends here
            self.end()
            raise ServerLost(f"The MCP server {name} can't be used: {_inner(error)}.", begun=begun) from error

    def end(self) -> None:
        """Let the connection close; the next call opens another."""
        over, self._client, self._over = self._over, None, asyncio.Event()
        _running_loop().call_soon_threadsafe(over.set)

    def _opened(self) -> "asyncio.Future[Client]":
        if self._client is None:
            self._client = asyncio.get_running_loop().create_future()
            task = asyncio.create_task(self._hold(self._client, self._over))
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)
        return self._client

    async def _hold(self, opened: "asyncio.Future[Client]", over: asyncio.Event) -> None:
        try:
            async with AsyncExitStack() as stack:
                client = await stack.enter_async_context(
                    Client(await self._transport(stack), read_timeout_seconds=None)
                )
                opened.set_result(client)
                await over.wait()
        except BaseException as error:  # noqa: BLE001 (told to whoever waits; a lost server must not end the loop)
            if not opened.done():
                opened.set_exception(error if isinstance(error, Exception) else ConnectionError("cancelled"))
            else:
                log.warning("An MCP session ended", server=self.server.name, error=_inner(error))

    async def _transport(self, stack: AsyncExitStack) -> Any:
        server = self.server
        if server.url is not None:
            host = urlsplit(server.url).hostname or ""
            headers = await asyncio.to_thread(handles.filled, server.tenant, server.headers, host)
            client = async_web.client(
                headers, timeout=server.timeout, max_bytes=max(server.max_bytes * WIRE_FACTOR, 2_000_000)
            )
            await stack.enter_async_context(client)
            return streamable_http_client(server.url, http_client=client)
        command = server.command or [""]
        env = await asyncio.to_thread(handles.filled, server.tenant, server.env, None)
        parameters = StdioServerParameters(command=command[0], args=command[1:], env=env or None)
        return stdio_client(parameters, errlog=stack.enter_context(open(os.devnull, "w")))  # noqa: PTH123


_tasks: set["asyncio.Task[None]"] = set()


def _session(server: McpServer) -> _Session:
    with _lock:
        found = _sessions.get(server.name)
        if found is None or found.server.version != server.version:
            if found is not None:
                found.end()
            found = _sessions[server.name] = _Session(server)
        return found


def _running_loop() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock_of_loop:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="mcp", daemon=True).start()
        return _loop


_lock_of_loop = threading.Lock()


def _inner(error: BaseException) -> str:
    """What really went wrong inside the groups that task groups raise."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"[:300].rstrip(".")
