"""Every route says what it takes and gives, and its code does as it says."""

import inspect
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator
from werkzeug.routing import Rule

from gateway import commands, declare
from gateway.app import create_app
from gateway.declare import Text
from gateway.openapi import document
from gateway.streams import modes
from services.journal.event_names import EventName

APP = create_app()
RULES = [rule for rule in APP.url_map.iter_rules() if rule.rule.startswith(document.DOCUMENTED)]


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    return document.of(APP)


def operations(openapi: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.endpoint)
def test_every_route_of_the_api_declares_itself_and_does_so(rule: Rule) -> None:
    view = APP.view_functions[rule.endpoint]
    declared = declare.of(view)
    source = inspect.getsource(inspect.unwrap(view))
    reads = re.findall(r"(?:bodies\.read|bodies\.read_or_default|\bbody)\((\w+)\)", source)

    assert declared is not None, f"{rule.endpoint} has no @declare.operation (docs/api.md)"
    assert view.__doc__, "its docstring is what the document says of it"
    models = (
        []
        if isinstance(declared.takes, Text)
        else [kind for kind in get_args(declared.takes) or [declared.takes] if kind]
    )
    assert sorted(reads) == sorted(model.__name__ for model in models)
    assert declared.optional == ("read_or_default" in source)
    if declared.query is not None and not rule.websocket:
        assert f"queries.read({declared.query.__name__})" in source or "_examined" in source


def test_the_document_has_every_route_and_no_other(openapi: dict[str, Any]) -> None:
    shown = {(method.upper(), path) for method, path, _ in operations(openapi)}
    there = {
        (method, re.sub(r"[<{][^>}]*[>}]", "*", rule.rule))
        for rule in RULES
        if not rule.websocket
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert {(method, re.sub(r"{[^}]*}", "*", path)) for method, path in shown} == there
    assert len({operation["operationId"] for _, _, operation in operations(openapi)}) == len(shown)
    assert list(openapi["x-websockets"]) == ["/api/agent/updates"]


def test_every_shape_has_a_name_of_its_own_and_says_what_it_is(openapi: dict[str, Any]) -> None:
    schemas = openapi["components"]["schemas"]

    assert [name for name in schemas if "__" in name] == []
    assert [name for name, schema in schemas.items() if "properties" in schema and not schema.get("description")] == []


def test_every_example_fits_its_shape(openapi: dict[str, Any]) -> None:
    examples = 0
    for _, _, operation in operations(openapi):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            for example in media.get("examples", {}).values():
                schema = {**media["schema"], "components": openapi["components"]}
                Draft202012Validator(schema).validate(example["value"])
                examples += 1

    assert examples >= 15


def test_every_reference_leads_somewhere_and_every_link_to_an_operation(openapi: dict[str, Any]) -> None:
    known = {operation["operationId"] for _, _, operation in operations(openapi)}
    linked = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                found: Any = openapi
                for part in node["$ref"].removeprefix("#/").split("/"):
                    found = found[part]
            linked.update(link["operationId"] for link in node.get("links", {}).values())
            node = list(node.values())
        for part in node if isinstance(node, list) else []:
            walk(part)

    walk(openapi)

    assert linked <= known and "runs.show" in linked


def test_text_replies_say_what_they_are() -> None:
    texts = [shape for rule in RULES for shape in declare.of(APP.view_functions[rule.endpoint]).gives.values()]  # type: ignore[union-attr]

    assert all(shape.description for shape in texts if isinstance(shape, Text))


def test_every_command_on_the_socket_stands_for_a_route() -> None:
    there = {f"{method} {rule.rule}" for rule in RULES for method in rule.methods or ()}
    kinds = get_args(get_args(commands.Said)[0])
    said = {name for kind in kinds for name in get_args(kind.model_fields["do"].annotation)}

    assert commands.ROUTES.keys() == said
    assert set(commands.ROUTES.values()) <= there


def test_every_event_is_shown_by_a_mode_beside_debug() -> None:
    shown = frozenset().union(*(names for mode, names in modes.SHOWN.items() if mode != "debug"))

    assert set(EventName) - shown == {EventName.MODEL_CALLED, EventName.MEMORY_STORED}
