"""Which sites' pages may call: our own, and those that PERDURE_CORS_ORIGINS lists. CORS headers for the latter."""

from urllib.parse import urlsplit

from flask import Flask, Response, request

from services import settings

METHODS = "GET, POST, PUT, PATCH, DELETE"
SENT = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-API-Key"
SHOWN = "Idempotent-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After"
REMEMBERED_SECONDS = "600"
APIS = ("/api/", "/v1/")


def install(app: Flask) -> None:
    """Answer preflights of listed sites, and tell browsers that they may read the answers."""
    app.before_request(_answer_preflight)
    app.after_request(_allow)


def listed() -> bool:
    """Whether the request comes from a page of a listed site."""
    return request.headers.get("Origin") in settings.current().cors_origins


def foreign() -> bool:
    """Whether the request comes from a page of another site that is not listed."""
    origin = request.headers.get("Origin")
    return bool(origin) and urlsplit(origin).netloc != request.host and not listed()


def _answer_preflight() -> Response | None:
    asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    if not (asks and listed() and request.path.startswith(APIS)):
        return None
    made = Response(status=204)
    made.headers["Access-Control-Allow-Methods"] = METHODS
    made.headers["Access-Control-Allow-Headers"] = SENT
    made.headers["Access-Control-Max-Age"] = REMEMBERED_SECONDS
    return made


def _allow(response: Response) -> Response:
    """No cookies: pages of other sites call with a key."""
    if settings.current().cors_origins and request.path.startswith(APIS):
        response.headers.add("Vary", "Origin")
        if listed():
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = SHOWN
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
