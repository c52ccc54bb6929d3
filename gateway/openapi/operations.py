"""One route in OpenAPI's words: its address and parameters, its body, its replies and what may go wrong."""

import inspect
import re
from collections.abc import Callable
from typing import Any

from werkzeug.routing import AnyConverter, BaseConverter, PathConverter, Rule

from gateway import declare, scopes
from gateway.declare import EVENTS, JSON, Operation, Text
from gateway.fields import EXAMPLE_RUN
from gateway.openapi import schemas
from gateway.openapi.schemas import OpenAIError, Problem, Schemas
from services.secrets import handles

PROBLEM = "application/problem+json"
KEY_OF_FLOW = "^((tool|agent):)?[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}$"
NAMES = {  # what the names of some things may be
    ("/api/flow/<path:key>", "key"): KEY_OF_FLOW,
    ("/api/flow/<path:key>/<any(pause, resume):action>", "key"): KEY_OF_FLOW,
    ("/api/secrets/<name>", "name"): f"^{handles.NAME}$",
    ("/api/http-tools/<name>", "name"): "^[A-Za-z][A-Za-z0-9-]{0,63}$",
    ("/api/mcp-servers/<name>", "name"): "^[a-z][a-z0-9-]{0,31}$",
    ("/api/queues/<name>", "name"): "^[^/]{1,200}$",
    ("/api/url-groups/<name>", "name"): "^[^/]{1,200}$",
    ("/api/agents/<name>", "name"): "^[^/]{1,200}$",
}
UUIDS = {
    "run_id",
    "run_a",
    "run_b",
    "approval_id",
    "letter_id",
    "memory_id",
    "policy_id",
    "message_id",
    "webhook_id",
    "key_id",
}
MEANINGS = {
    400: "It can't be used as it is; `errors` names each faulty field.",
    401: "A valid API key is needed.",
    403: "This key may not do that.",
    404: "There is no such thing.",
    405: "There is no such action.",
    409: "Not possible in the present state.",
    410: "Its time is over.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body must be of another content type.",
    422: "Well formed, but it makes no sense here; or an Idempotency-Key that was used for another body.",
    429: "Too much at once; `Retry-After` says when to come back.",
    503: "A part of the system does not answer; `Retry-After` says when to come back.",
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Your name for this submission: sent again with the same body, it has the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def address(rule: Rule) -> str:
    """The path as OpenAPI writes it, its parameters in camelCase."""
    return re.sub(r"<(?:[^:<>]+(?:\([^)]*\))?:)?([^<>]+)>", lambda found: f"{{{_camel(found[1])}}}", rule.rule)


def shapes_of(declared: Operation) -> list[Any]:
    """The shapes that an operation needs schemas of."""
    body = [] if declared.takes is None or isinstance(declared.takes, Text) else [declared.takes]
    return [*body, *(shape for shape in declared.gives.values() if not isinstance(shape, Text))]


def described(rule: Rule, method: str, view: Callable[..., Any], known: Schemas) -> dict[str, Any]:
    """The operation object of one route and method."""
    declared = declare.of(view)
    assert declared is not None, f"{rule.rule} declares nothing"
    summary, _, more = inspect.cleandoc(view.__doc__ or "").partition("\n\n")
    first, _, rest = " ".join(summary.split()).partition(". ")
    made: dict[str, Any] = {
        "operationId": rule.endpoint,
        "tags": [tag(rule)],
        "summary": first.rstrip("."),
        "description": " ".join([rest, " ".join(more.split())]).strip(),
        "parameters": [
            *(_path_parameter(rule, name, rule._converters[name]) for name in _names(rule)),
            *(schemas.parameters(declared.query) if declared.query else []),
            *([KEY] if rule.rule == "/api/agent/start" else []),
        ],
        "responses": {**_replies(declared, known), **_problems(rule, method, declared)},
    }
    if declared.takes is not None:
        made["requestBody"] = _body(declared, known)
    if not secured(rule, method):
        made["security"] = []
    return made


def tag(rule: Rule) -> str:
    """The noun that a route belongs to."""
    first, _, rest = rule.rule.lstrip("/").partition("/")
    return {"api": rest.partition("/")[0], "v1": "openai"}.get(first, "system")


def secured(rule: Rule, method: str) -> bool:
    """Whether it needs a key (where keys are asked for at all)."""
    return scopes.NEEDED.get(f"{method} {rule.rule}") != scopes.ANYBODY


def _names(rule: Rule) -> list[str]:
    return re.findall(r"<(?:[^:<>]+(?:\([^)]*\))?:)?([^<>]+)>", rule.rule)


def _path_parameter(rule: Rule, name: str, converter: BaseConverter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if isinstance(converter, AnyConverter):
        schema = {"type": "string", "enum": sorted(converter.items)}
    elif name in UUIDS:
        schema = {"type": "string", "format": "uuid", "examples": [EXAMPLE_RUN]}
    elif (rule.rule, name) in NAMES:
        schema["pattern"] = NAMES[rule.rule, name]
    elif not isinstance(converter, PathConverter):
        schema["pattern"] = "^[^/]+$"
    return {"name": _camel(name), "in": "path", "required": True, "schema": schema}


def _body(declared: Operation, known: Schemas) -> dict[str, Any]:
    takes = declared.takes
    if isinstance(takes, Text):
        content: dict[str, Any] = {takes.content_type: {"schema": {"type": "string"}}}
        return {"required": False, "description": takes.description, "content": content}
    media: dict[str, Any] = {"schema": known.of(takes)}
    if declared.example:
        media["examples"] = {"usual": {"value": dict(declared.example)}}
    return {"required": not declared.optional, "content": {JSON: media}}


def _replies(declared: Operation, known: Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for status, shape in declared.gives.items():
        if isinstance(shape, Text):
            content: dict[str, Any] = {shape.content_type: {"schema": {"type": "string"}}}
        else:
            content = {JSON: {"schema": known.of(shape)}}
        if declared.streams:
            content[EVENTS] = {}
        made[str(status)] = {"description": _said(shape), "content": content}
    return made


def _problems(rule: Rule, method: str, declared: Operation) -> dict[str, Any]:
    """What may go wrong: it follows from what the route takes."""
    named = "<" in rule.rule
    statuses = {400, 503}
    signs_in = rule.rule == "/api/session"
    statuses |= {401, 403, 429} if secured(rule, method) or signs_in else set()
    statuses |= {401} if rule.rule.startswith("/hooks/") else set()
    statuses |= {404} if named or secured(rule, method) else set()
    statuses |= {405} if any(isinstance(kind, AnyConverter) for kind in rule._converters.values()) else set()
    statuses |= {414} if named or declared.query else set()
    statuses |= {409, 410} if named and method != "GET" else {409} if method != "GET" else set()
    statuses |= {413, 415, 422} if declared.takes is not None else {422} if method != "GET" else set()
    kind = "OpenAI" if rule.rule.startswith("/v1/") else "Problem"
    return {str(status): {"$ref": f"#/components/responses/{kind}{status}"} for status in sorted(statuses)}


def problem_responses(known: Schemas) -> dict[str, Any]:
    """Every way to fail, once as a problem and once in OpenAI's envelope."""
    made = {}
    for status, meaning in MEANINGS.items():
        headers = {"Retry-After": {"schema": {"type": "string"}}} if status in (429, 503) else {}
        for kind, content_type, shape in (("Problem", PROBLEM, Problem), ("OpenAI", JSON, OpenAIError)):
            content = {content_type: {"schema": known.of(shape)}}
            made[f"{kind}{status}"] = {"description": meaning, "headers": headers, "content": content}
    return made


def _said(shape: Any) -> str:
    if isinstance(shape, Text):
        return shape.description
    origin = getattr(shape, "__origin__", shape)
    return " ".join(inspect.cleandoc(getattr(origin, "__doc__", None) or "").split()) or "It is done."


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
