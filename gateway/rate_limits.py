"""Counting the requests of each key; the headers RateLimit and RateLimit-Policy say what is left, 429 when nothing is.

The headers are those of draft-ietf-httpapi-ratelimit-headers.
"""

from flask import Flask, Response, g

from services.access import rate_limits
from services.access.rate_limits import Window
from services.errors import TooMany


def install(app: Flask) -> None:
    """Count every request that comes with a key; after the caller is known."""
    app.before_request(_count)
    app.after_request(_tell)


def _count() -> None:
    caller = g.get("caller")
    if caller is None or caller.key_id is None:
        return
    g.windows = rate_limits.count(caller.key_id, caller.limits)
    for window in g.windows:
        if window.exceeded:
            raise TooMany(
                f"This key may make {window.limit} requests a {window.name}; try again in {window.resets_in} s.",
                retry_after=window.resets_in,
            )


def _tell(response: Response) -> Response:
    windows: list[Window] = g.get("windows", [])
    if windows:
        policies = [f'"{each.name}";q={each.limit};w={each.seconds}' for each in windows]
        left = [f'"{each.name}";r={max(each.left, 0)};t={each.resets_in}' for each in windows]
        response.headers["RateLimit-Policy"] = ", ".join(policies)
        response.headers["RateLimit"] = ", ".join(left)
    return response
