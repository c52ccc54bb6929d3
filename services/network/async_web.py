"""The guarded client for asyncio: an httpx2 client whose connections are vetted like those of web.py. For MCP."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

import httpcore2
import httpx2

from services import settings
from services.network import allow_list, connections
from services.network.connections import Resolver
from services.network.refusals import ReplyRefused


def client(
    headers: Mapping[str, str], *, timeout: float, max_bytes: int, resolver: Resolver = connections.resolve
) -> httpx2.AsyncClient:
    """A client whose every connection goes to a vetted address and whose every reply ends at `max_bytes` (unpacked)."""
    transport = _GuardedTransport(_GuardedBackend(resolver), max_bytes)
    return httpx2.AsyncClient(transport=transport, trust_env=False, timeout=timeout, headers=dict(headers))


class _GuardedBackend(httpcore2.AsyncNetworkBackend):
    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._plain = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first vetted address of `host` that answers."""
        found = await asyncio.wait_for(asyncio.to_thread(self._resolver, host, port), timeout)
        allowed = allow_list.parse(settings.current().allow_hosts)
        trouble: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in connections.vet(host, port, found, allowed):
            try:
                return await self._plain.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                trouble = error
        raise trouble


class _GuardedTransport(httpx2.AsyncBaseTransport):
    def __init__(self, backend: _GuardedBackend, max_bytes: int) -> None:
        self._pool = httpcore2.AsyncConnectionPool(ssl_context=_tls(), network_backend=backend)
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        request.headers["Accept-Encoding"] = "identity"  # so that bytes on the wire are bytes in memory
        sent = httpcore2.Request(
            request.method, target, headers=request.headers.raw, content=request.stream, extensions=request.extensions
        )
        with _as_httpx2():
            reply = await self._pool.handle_async_request(sent)
        if any(name.lower() == b"content-encoding" and value != b"identity" for name, value in reply.headers):
            await reply.aclose()
            raise ReplyRefused("The server sent a body packed in a way that was not asked for.")
        return httpx2.Response(reply.status, headers=reply.headers, stream=_Body(reply, self._max_bytes))

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, reply: httpcore2.Response, max_bytes: int) -> None:
        self._reply = reply
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx2():
            async for piece in self._reply.aiter_stream():
                self._left -= len(piece)
                if self._left < 0:
                    raise ReplyRefused("The server sent more than is taken.")
                yield piece

    async def aclose(self) -> None:
        await self._reply.aclose()


@contextmanager
def _as_httpx2() -> Iterator[None]:
    """The transport's errors under the names that users of httpx2 know."""
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise httpx2.ReadTimeout(str(error)) from error
    except httpcore2.NetworkError as error:
        raise httpx2.ConnectError(str(error)) from error
    except httpcore2.ProtocolError as error:
        raise httpx2.RemoteProtocolError(str(error)) from error


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpcore2.default_ssl_context()
