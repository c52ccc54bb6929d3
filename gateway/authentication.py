"""Who is calling: an API key from a header (or, for a WebSocket, a subprotocol), or the default tenant."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, g, request

from gateway.brief_cache import BriefCache
from services import settings
from services.access import api_keys
from services.errors import NotAllowed, NotAuthenticated

DEFAULT_TENANT = "default"
OPENAI = "/v1/"
PATHS = ("/api/", "/metrics", OPENAI)
OPEN_PATHS = ("/api/system",)
SUBPROTOCOL_KEY = "key."


@dataclass(frozen=True)
class Caller:
    """Whose data this request may see. key_id is None when no key was asked for and none was shown."""

    tenant: str
    key_id: str | None = None
    scopes: tuple[str, ...] = ()


_known: BriefCache[Caller] = BriefCache(seconds=1)


def install(app: Flask) -> None:
    """Identify the caller of every /api request before anything else happens."""
    app.before_request(_identify)


def caller() -> Caller:
    """The caller of the present request."""
    return g.caller


def _identify() -> None:
    if not request.path.startswith(PATHS) or request.path in OPEN_PATHS:
        return
    key = _shown_key()
    if request.path.startswith(OPENAI) and not settings.current().auth_required and not api_keys.looks_like_one(key):
        key = None  # OpenAI's clients insist on sending some key
    if key is not None:
        g.caller = _known.get(api_keys.hashed(key), lambda: _verified(key))
        return
    if settings.current().auth_required:
        raise NotAuthenticated("Send an API key as `Authorization: Bearer …`; `perdure keys create` makes one.")
    _refuse_other_sites()
    g.caller = Caller(DEFAULT_TENANT)


def _verified(key: str) -> Caller:
    found = api_keys.verify(key)
    return Caller(found.tenant, str(found.id), tuple(found.scopes))


def _shown_key() -> str | None:
    """The key that came with the request, wherever it is. A malformed Authorization header is an error, not no key."""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, key = header.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise NotAuthenticated("The Authorization header must be `Bearer` and an API key.")
        return key.strip()
    if "X-API-Key" in request.headers:
        return request.headers["X-API-Key"]
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    for protocol in (part.strip() for part in offered.split(",")):
        if protocol.startswith(SUBPROTOCOL_KEY):
            return protocol.removeprefix(SUBPROTOCOL_KEY)
    return None


def _refuse_other_sites() -> None:
    """Without keys, a browser's Origin is all that tells our page from any other site the user has open."""
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        raise NotAllowed("Pages of another origin may call only with an API key.")
