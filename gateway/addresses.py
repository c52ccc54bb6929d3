"""Addresses with words of their own: /api/runs/bulk is never the run that is called `bulk`, whatever the method."""

import re
from functools import lru_cache

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import MethodNotAllowed

# where a key may hold slashes, its actions look like keys
ACTIONS = ((re.compile(r"/api/flow/.+/(?:pause|resume)"), frozenset({"POST", "OPTIONS"})),)


def install(app: Flask) -> None:
    """Look at every address before its route does."""
    app.before_request(_only_its_own_methods)


def _only_its_own_methods() -> Response | None:
    """405 (or, asked by OPTIONS, the methods) for what only a route with a parameter there would take."""
    methods = _own(current_app._get_current_object()).get(request.path)  # type: ignore[attr-defined]
    if methods is None:
        methods = next((own for pattern, own in ACTIONS if pattern.fullmatch(request.path)), None)
    if methods is None or (request.method in methods and request.method != "OPTIONS"):
        return None
    if request.method == "OPTIONS":
        return Response(headers={"Allow": ", ".join(sorted(methods))})
    raise MethodNotAllowed(valid_methods=sorted(methods))


@lru_cache(maxsize=4)
def _own(app: Flask) -> dict[str, frozenset[str]]:
    """The methods of every address without a parameter."""
    own: dict[str, frozenset[str]] = {}
    for rule in app.url_map.iter_rules():
        if not rule.arguments and not rule.websocket:
            own[rule.rule] = own.get(rule.rule, frozenset()) | frozenset(rule.methods or ())
    return own
