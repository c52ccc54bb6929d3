"""The Python client has a call for every route of the API but those that are other systems' to call."""

import re
from pathlib import Path

from gateway.app import create_app
from gateway.openapi import document

GATEWAY = Path(document.__file__).parents[1]
CALL = re.compile(r'"(GET|POST|PUT|PATCH|DELETE)",\s*f?"(/[^"]*)"')
NOT_CALLED = ("/v1/", "/callbacks/", "/hooks/", "/healthz")


def _plain(path: str) -> str:
    """The path with * for whatever is put in; what is chosen in the code counts as put in."""
    return re.sub(r"\{[^{}]*\}", "*", path)


def test_every_route_has_a_call() -> None:
    calls = {
        (method, _plain(path.split("?")[0]))
        for file in GATEWAY.glob("client*.py")
        for method, path in CALL.findall(file.read_text())
    }
    shown = document.of(create_app())["paths"]
    missing = []
    for path, methods in shown.items():
        for method in methods:
            fits = [call for verb, call in calls if verb == method.upper() and _fits(call, path)]
            if not fits and not path.startswith(NOT_CALLED):
                missing.append(f"{method.upper()} {path}")

    assert missing == []


def _fits(call: str, path: str) -> bool:
    """Whether the call's address is the route's: `*` in it may stand for a parameter, or for a verb of the route."""
    parts, own = call.strip("/").split("/"), _plain(path).strip("/").split("/")
    return len(parts) == len(own) and all("*" in (a, b) or a == b for a, b in zip(parts, own, strict=True))
