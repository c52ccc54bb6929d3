"""Who is calling: an API key (header, or a WebSocket's subprotocol), the page's cookie, a one-time ticket, or anybody.

And whether they may: each route needs a scope (gateway/scopes.py). From then on, until the request's end, the database
shows the caller's tenant alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, g, request

from gateway import origins, scopes
from gateway.brief_cache import BriefCache
from services import settings, tenants
from services.access import api_keys, sign_ins, tickets
from services.access.api_keys import NO_LIMITS, ApiKey, Limits
from services.access.scopes import ALL, allow
from services.access.sign_ins import SignedIn
from services.errors import NotAllowed, NotAuthenticated, Unavailable

DEFAULT_TENANT = "default"
OPENAI = "/v1/"
COOKIE = "perdure_session"
MCP = "/mcp"
HERE = ("localhost", "127.0.0.1", "::1")
SUBPROTOCOL_KEY = "key."
LOOKS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Caller:
    """Whose data this request may see. key_id and sign_in are None when neither was asked for and none was shown."""

    tenant: str
    key_id: str | None = None
    scopes: tuple[str, ...] = ALL
    limits: Limits = NO_LIMITS
    sign_in: str | None = None
    person: str | None = None

    @property
    def actor(self) -> str:
        """Who this is, for the record."""
        if self.person:
            return f"person {self.person}"
        return f"key {self.key_id}" if self.key_id else "local"

    def may(self, scope: str) -> bool:
        """Whether the caller has this scope."""
        return allow(self.scopes, scope)


_known: BriefCache[Caller] = BriefCache(seconds=1)


def install(app: Flask) -> None:
    """Identify the caller of every request before anything else happens, and ask whether they may."""
    app.before_request(_begin)
    app.before_request(_identify)
    app.before_request(_ask_for_scope)
    app.teardown_request(_end)


def caller() -> Caller:
    """The caller of the present request."""
    return g.caller


def of_sign_in(found: SignedIn) -> Caller:
    """The caller that a person who signed in is."""
    return Caller(found.tenant, scopes=found.scopes, sign_in=found.hash, person=found.person)


def forget() -> None:
    """What is known of callers is looked up anew."""
    _known.clear()


def still_lives() -> Callable[[], bool] | None:
    """Asks whether the present caller's key or sign-in still holds; None where there is neither. Streams ask it."""
    now = caller()
    if now.key_id is None and now.sign_in is None:
        return None

    def asked() -> bool:
        try:
            _known.get(("lives", now.key_id, now.sign_in), lambda: _looked_up(now.key_id, now.sign_in) or now)
        except NotAuthenticated:
            return False
        except Unavailable:
            pass  # nobody knows; Postgres will be back
        return True

    return asked


def refuse_other_sites() -> None:
    """Raise NotAllowed when a page of another site has the browser call, or (for what acts) nobody knows which page."""
    site = request.headers.get("Sec-Fetch-Site")
    if origins.foreign() or (site is not None and site not in ("same-origin", "none") and not origins.listed()):
        raise NotAllowed("Pages of another site may not call with this browser's sign-in.")
    if site is None and "Origin" not in request.headers and request.method not in LOOKS:
        raise NotAllowed("With a cookie, send the header Origin or Sec-Fetch-Site; programs use an API key instead.")


def _begin() -> None:
    """Nobody's until the caller is known; a route that asks for no key finds out itself whose data it is about."""
    tenants.enter(tenants.EVERY if scopes.needed() == scopes.ANYBODY else tenants.NOBODY)


def _end(error: BaseException | None) -> None:
    tenants.enter(tenants.EVERY)


def ask_for(scope: str) -> None:
    """Raise NotAllowed when the caller has not got this scope."""
    if not caller().may(scope):
        raise NotAllowed(f"This needs the scope {scope!r}; the caller has {', '.join(caller().scopes)}.")


def _ask_for_scope() -> None:
    needed = scopes.needed()
    if needed == scopes.ANYBODY or request.url_rule is None:
        return
    if needed is None:
        raise NotAllowed(f"{request.method} {request.url_rule.rule} is not in the table of scopes (gateway/scopes.py).")
    ask_for(needed)


def _identify() -> None:
    if request.url_rule is None or scopes.needed() == scopes.ANYBODY:
        return
    if _is_handshake() and origins.foreign():
        raise NotAllowed("Pages of another site may open no WebSocket here; PERDURE_CORS_ORIGINS lists those that may.")
    g.caller = _by_ticket() or _by_key() or _by_cookie() or _unasked()
    tenants.enter(g.caller.tenant)


def _by_ticket() -> Caller | None:
    ticket = request.args.get("ticket") if _is_handshake() else None
    if ticket is None:
        return None
    with tenants.every():
        used = tickets.redeem(ticket)
        return _looked_up(str(used.key_id) if used.key_id else None, used.sign_in) or Caller(used.tenant)


def _by_key() -> Caller | None:
    key = _shown_key()
    if request.path.startswith(OPENAI) and not settings.current().auth_required and not api_keys.looks_like_one(key):
        return None  # OpenAI's clients insist on sending some key
    if key is None:
        return None
    with tenants.every():
        return _known.get(api_keys.hashed(key), lambda: _of_key(api_keys.verify(key)))


def _by_cookie() -> Caller | None:
    token = request.cookies.get(COOKIE)
    if token is None:
        return None
    if request.method not in LOOKS or _is_handshake():
        refuse_other_sites()
    try:
        with tenants.every():
            return _known.get(api_keys.hashed(token), lambda: of_sign_in(sign_ins.verify(token)))
    except NotAuthenticated:
        if settings.current().auth_required:
            raise
        return None  # of another stack on this host, for instance


def _unasked() -> Caller:
    if settings.current().auth_required:
        raise NotAuthenticated("Send an API key as `Authorization: Bearer …`; `perdure keys create` makes one.")
    # without keys, a browser's Origin is all that tells our page from any other site the user has open
    if origins.foreign():
        raise NotAllowed("Pages of another origin may call only with an API key.")
    if request.path.startswith(MCP):
        _refuse_other_hosts()
    return Caller(DEFAULT_TENANT)


def _refuse_other_hosts() -> None:
    """Without keys, a site whose name was made to lead to this machine (DNS rebinding) must not drive agents."""
    allowed = (*HERE, urlsplit(settings.current().public_url or "").hostname)
    if urlsplit(f"//{request.host}").hostname not in allowed:
        raise NotAllowed("Without an API key this works only at localhost or PERDURE_PUBLIC_URL.")


@tenants.every()
def _looked_up(key_id: str | None, sign_in: str | None) -> Caller | None:
    """The caller of this key or sign-in, None for neither. Raises NotAuthenticated when it is over."""
    if key_id is not None:
        key = api_keys.living(UUID(key_id))
        if key is None:
            raise NotAuthenticated(api_keys.UNKNOWN)
        return _of_key(key)
    if sign_in is not None:
        found = sign_ins.living(sign_in)
        if found is None:
            raise NotAuthenticated(sign_ins.OVER)
        return of_sign_in(found)
    return None


def _of_key(key: ApiKey) -> Caller:
    return Caller(key.tenant, str(key.id), tuple(key.scopes), Limits(key.per_minute, key.per_day))


def _is_handshake() -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


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
