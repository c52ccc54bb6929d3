"""The whole OpenAPI document of an application, from its routes."""

import sys
from collections import Counter
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from gateway import declare, system
from gateway.openapi import operations, schemas
from gateway.openapi.links import linked
from gateway.openapi.schemas import OpenAIError, Problem, Schemas
from services import settings

DOCUMENTED = ("/api/", "/v1/", "/callbacks/", "/hooks/", "/healthz", "/readyz")
ABOUT = (
    "Start runs, follow them, step in. Every list is {items, next}; every error is a problem (RFC 9457) that names the "
    "field and the remedy; times are RFC 3339 in UTC. Streams, commands and how a client proves that it has missed "
    "nothing: docs/api.md."
)


def of(app: Flask) -> dict[str, Any]:
    """The document. Every documented route declares itself; tests/unit/test_declared_routes.py sees to it."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(DOCUMENTED)]
    spoken = [rule for rule in rules if not rule.websocket]
    declared = [found for rule in spoken if (found := declare.of(app.view_functions[rule.endpoint]))]
    known = Schemas(
        [Problem, OpenAIError, *(shape for operation in declared for shape in operations.shapes_of(operation))]
    )
    paths: dict[str, dict[str, Any]] = {}
    times = Counter(rule.endpoint for rule in spoken for _ in _methods(rule))
    for rule in sorted(spoken, key=lambda rule: rule.rule):
        for method in _methods(rule):
            view = app.view_functions[rule.endpoint]
            described = operations.described(rule, method, view, known)
            if times[rule.endpoint] > 1:  # one function at several addresses, or for several methods
                described["operationId"] += f".{method.lower()}.{rule.rule.rpartition('/')[2].strip('<>')}"
            paths.setdefault(operations.address(rule), {})[method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Perdure", "version": system.version(), "description": ABOUT, "license": {"name": "MIT"}},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"apiKey": []}, *([] if settings.current().auth_required else [{}])],
        "tags": _tags(app, spoken),
        "paths": linked(paths),
        "x-websockets": {rule.rule: _socket(app, rule) for rule in rules if rule.websocket},
        "components": {
            "schemas": known.definitions,
            "responses": operations.problem_responses(known),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "`perdure keys create` makes a key."},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def _tags(app: Flask, rules: list[Rule]) -> list[dict[str, str]]:
    """Each noun with what its module says of it."""
    found: dict[str, str] = {}
    for rule in rules:
        said = sys.modules[app.view_functions[rule.endpoint].__module__].__doc__ or ""
        found.setdefault(operations.tag(rule), " ".join(said.split("\n\n")[0].split()))
    return [{"name": name, "description": said} for name, said in sorted(found.items())]


def _socket(app: Flask, rule: Rule) -> dict[str, Any]:
    view = app.view_functions[rule.endpoint]
    declared = declare.of(view)
    return {
        "description": " ".join((view.__doc__ or "").split()),
        "parameters": schemas.parameters(declared.query) if declared and declared.query else [],
    }
