"""Who may do what: every route is in the one table, and scopes include each other as they say."""

import pytest
from flask import Flask

from gateway import app, scopes
from services.access.scopes import ADMIN, ALL, APPROVE, OPERATE, READ, RUN, allow, checked
from services.errors import BadInput

IMPLIED = {"HEAD", "OPTIONS"}


def routes() -> set[str]:
    served = Flask("gateway", static_folder=None)
    for noun in app.NOUNS:
        served.register_blueprint(noun.blueprint)
    return {f"{method} {rule.rule}" for rule in served.url_map.iter_rules() for method in rule.methods - IMPLIED}


def test_every_route_says_which_scope_it_needs() -> None:
    """Add the route to gateway/scopes.py, as `METHOD rule`."""
    assert routes() - set(scopes.NEEDED) == set()


def test_the_table_has_no_route_that_is_gone() -> None:
    assert set(scopes.NEEDED) - routes() == set()


def test_only_few_routes_are_open_to_anybody() -> None:
    assert {route for route, needed in scopes.NEEDED.items() if needed == scopes.ANYBODY} == {
        "GET /",
        "GET /static/<path:name>",
        "GET /favicon.ico",
        "GET /healthz",
        "GET /readyz",
        "GET /api/system",
        "GET /openapi.json",
        "GET /docs",
        "POST /api/session",
        "POST /callbacks/<run_id>/<step_id>/<token>",
        *(f"{method} /callbacks/once/<run_id>/<token>" for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
        "POST /hooks/<trigger_id>",
    }


@pytest.mark.parametrize(
    "given, allowed",
    [
        (READ, {READ}),
        (RUN, {READ, RUN}),
        (APPROVE, {READ, APPROVE}),
        (ADMIN, {READ, RUN, APPROVE, ADMIN}),
        (OPERATE, set(ALL)),
        ("nonsense", set()),
    ],
)
def test_scopes_include_each_other(given: str, allowed: set[str]) -> None:
    assert {scope for scope in ALL if allow([given], scope)} == allowed


def test_what_is_no_scope_is_refused() -> None:
    with pytest.raises(BadInput, match="reed"):
        checked(["reed"])
