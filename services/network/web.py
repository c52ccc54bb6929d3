"""`get` a URL, or `send` to it, behind the guard: http and https only, redirects checked again, bytes and time capped.

The one HTTP client of every network tool. It keeps no connection, cookie or proxy setting from one call to the next.
"""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import lru_cache

import httpcore2
import httpx2

from services import clock, settings
from services.network import allow_list, connections
from services.network.connections import Resolver
from services.network.refusals import NoReply, ReplyRefused, Unreached, UrlRefused
from services.tracing import spans

AGENT = "Mozilla/5.0 (compatible; Perdure/0.1)"
ANY_REPLY: tuple[str, ...] = ()
_DECODED_BY_US = {"", "identity", "gzip", "deflate"}


@dataclass(frozen=True)
class Limits:
    """What one fetch may cost, all redirects included: seconds, bytes on the wire, bytes unpacked, redirects."""

    seconds: float = 20
    wire_bytes: int = 5_000_000
    body_bytes: int = 10_000_000
    redirects: int = 5


@dataclass(frozen=True)
class Reply:
    """What came back. url: after redirects. content_type: lower case, without parameters. body: unpacked bytes.

    charset: as the header names it, or None. `get` does not read the body of a reply with a status of 400 and more.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    content_type: str
    charset: str | None
    body: bytes


def get(
    url: str,
    *,
    content_types: tuple[str, ...] | None = None,
    limits: Limits | None = None,
    resolver: Resolver = connections.resolve,
) -> Reply:
    """Fetch `url`, following redirects.

    content_types: beginnings or `+endings` of the types to take (`text/`, `application/json`, `+json`); None takes all,
    and a reply that names no type is always taken. Raises the errors of `refusals`.
    """
    return _fetched(Sending("GET", url), content_types, limits or Limits(), resolver)


@dataclass(frozen=True)
class Sending:
    """What to send where."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def reads_only(self) -> bool:
        return self.method in {"GET", "HEAD", "OPTIONS"}


def send(sending: Sending, *, limits: Limits | None = None, resolver: Resolver = connections.resolve) -> Reply:
    """Send a request and read the reply, whatever its status and type.

    Only requests that merely read follow redirects, and the caller's headers do not go along to another origin. Raises
    the errors of `refusals`; Unreached means that nothing was sent.
    """
    return _fetched(sending, ANY_REPLY, limits or Limits(), resolver)


def _fetched(sending: Sending, content_types: tuple[str, ...] | None, limits: Limits, resolver: Resolver) -> Reply:
    url = sending.url
    allowed = allow_list.parse(settings.current().allow_hosts)
    backend = connections.GuardedBackend(allowed, clock.monotonic() + limits.seconds, resolver)
    headers = {"User-Agent": AGENT, "Accept-Encoding": "gzip, deflate", **spans.header()}
    with httpx2.Client(transport=_GuardedTransport(backend), trust_env=False, timeout=None, headers=headers) as client:
        try:
            return _follow(client, _request(client, sending), sending, content_types, limits)
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            raise _broken(_host(url), error, unreached=True) from error
        except (httpcore2.TimeoutException, httpx2.TimeoutException) as error:
            raise NoReply(f"{_host(url)} did not answer within {limits.seconds:g} seconds.") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise _broken(_host(url), error) from error
        except httpx2.DecodingError as error:
            raise ReplyRefused(f"{_host(url)} sent a body that can't be unpacked.") from error
        except (httpx2.RemoteProtocolError, httpx2.InvalidURL) as error:
            raise ReplyRefused(f"{_host(url)} redirects to something that is not a URL.") from error


def _follow(
    client: httpx2.Client,
    request: httpx2.Request,
    sending: Sending,
    content_types: tuple[str, ...] | None,
    limits: Limits,
) -> Reply:
    for _ in range(limits.redirects + 1):
        check_url(request.url)
        response = client.send(request, stream=True)
        try:
            if response.next_request is None or not sending.reads_only:
                return _reply(response, content_types, limits)
            request = _next(response.next_request, request, sending)
        finally:
            response.close()
    raise ReplyRefused(f"{request.url.host} redirects too often: more than {limits.redirects} times.")


def _next(following: httpx2.Request, before: httpx2.Request, sending: Sending) -> httpx2.Request:
    """The request that a redirect asks for, without the caller's headers when it leads elsewhere."""
    origins = [(url.scheme, url.host, url.port) for url in (following.url, before.url)]
    if origins[0] != origins[1]:
        for name in sending.headers:
            following.headers.pop(name, None)
    return following


def check_url(url: httpx2.URL) -> None:
    """Raise UrlRefused unless this is an http or https URL with a host and without credentials."""
    if url.scheme not in {"http", "https"}:
        raise UrlRefused(f"Only http and https URLs can be fetched, not {url.scheme or 'one without a scheme'}.")
    if not url.host:
        raise UrlRefused("The URL names no host.")
    if url.userinfo:
        raise UrlRefused(f"The URL of {url.host} holds credentials, which would end up in the records; leave them out.")


def _request(client: httpx2.Client, sending: Sending) -> httpx2.Request:
    try:
        parsed = httpx2.URL(sending.url.strip())
        check_url(parsed)
        return client.build_request(sending.method, parsed, headers=dict(sending.headers), content=sending.body)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise UrlRefused(f"{sending.url[:200]!r} is not a valid URL, or a header holds what it can't.") from error


def _reply(response: httpx2.Response, content_types: tuple[str, ...] | None, limits: Limits) -> Reply:
    content_type, charset = _content_type(response.headers.get("content-type", ""))
    read = response.status_code < 400 or content_types is ANY_REPLY
    if read and content_types and content_type and not _fits(content_type, content_types):
        raise ReplyRefused(f"{response.url.host} sent {content_type}, which can't be read here.")
    return Reply(
        url=str(response.url),
        status=response.status_code,
        headers=response.headers,
        content_type=content_type,
        charset=charset,
        body=_body(response, limits) if read else b"",
    )


def _body(response: httpx2.Response, limits: Limits) -> bytes:
    """The unpacked body; reading stops when a cap is passed, so neither a bomb nor an endless body costs more."""
    encodings = {part.strip().lower() for part in response.headers.get("content-encoding", "").split(",")}
    if not encodings <= _DECODED_BY_US:
        raise ReplyRefused(f"{response.url.host} sent a body packed in a way that was not asked for.")
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > limits.body_bytes or response.num_bytes_downloaded > limits.wire_bytes:
            raise ReplyRefused(f"{response.url.host} sent more than the {_cap(body, limits)} that are taken.")
    return bytes(body)


def _cap(body: bytearray, limits: Limits) -> str:
    size = limits.body_bytes if len(body) > limits.body_bytes else limits.wire_bytes
    return f"{size / 1_000_000:g} MB"


def _content_type(header: str) -> tuple[str, str | None]:
    message = Message()
    message["content-type"] = header
    return (message.get_content_type() if "/" in header else ""), message.get_content_charset()


def _fits(content_type: str, accepted: tuple[str, ...]) -> bool:
    return any(content_type.endswith(one) if one.startswith("+") else content_type.startswith(one) for one in accepted)


def _broken(host: str, error: Exception, *, unreached: bool = False) -> NoReply | ReplyRefused:
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, ssl.SSLCertVerificationError):
            why = reason.verify_message.rstrip(".")
            return ReplyRefused(f"The certificate of {host} is not valid: {why}.")
        reason = reason.__cause__ or reason.__context__
    if unreached:
        return Unreached(f"{host} can't be reached.")
    return NoReply(f"{host} can't be reached or broke off the connection.")


def _host(url: str) -> str:
    return httpx2.URL(url.strip()).host


class _GuardedTransport(httpx2.BaseTransport):
    """Sends httpx2's requests over connections of the guarded backend; httpcore2's errors pass through unchanged."""

    def __init__(self, backend: connections.GuardedBackend) -> None:
        self._pool = httpcore2.ConnectionPool(ssl_context=_tls(), network_backend=backend)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        reply = self._pool.handle_request(
            httpcore2.Request(request.method, target, headers=request.headers.raw, content=request.stream)
        )
        return httpx2.Response(reply.status, headers=reply.headers, stream=_Body(reply))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx2.SyncByteStream):
    def __init__(self, reply: httpcore2.Response) -> None:
        self._reply = reply

    def __iter__(self) -> Iterator[bytes]:
        yield from self._reply.iter_stream()

    def close(self) -> None:
        self._reply.close()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpcore2.default_ssl_context()
