"""/api/mcp-servers and /api/http-tools: tools registered at run time; /callbacks: results of accepted work."""

import re
from typing import Annotated, Any, Literal

from flask import Blueprint, Response
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import ConfigDict, Field, field_validator, model_validator
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, scopes, wire
from gateway.declare import Named, Page, Taken
from gateway.fields import Time
from services import clock, tenants
from services.access.scopes import OPERATE
from services.approvals import callbacks
from services.errors import BadInput, FieldError
from services.pipeline import operating
from services.tools import http_tools, mcp_servers
from services.tools.http_tools import HttpTool
from services.tools.mcp_servers import McpServer, McpTool

blueprint = Blueprint("external_tools", __name__)


@blueprint.before_request
def _see_all() -> None:
    """Tools are everybody's: who operates the system sees all registrations, others those of their own tenant."""
    if scopes.needed() != scopes.ANYBODY and authentication.caller().may(OPERATE):
        tenants.enter(tenants.EVERY)


NAME = r"^[a-z][a-z0-9_-]{0,31}$"
TOOL_NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
Headers = dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")], Annotated[str, Field(pattern=r"^[^\r\n]*$")]]
Url = Annotated[str, Field(pattern=r"^https?://", max_length=2_000)]
Permitted = Literal["allow", "ask", "deny"]
EXAMPLE = {
    "description": "Refund an order.",
    "url": "https://shop.example.com/refund",
    "schema": {"type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]},
}


class ServerRequest(bodies.Body):
    """An MCP server: at `url`, or started by `command`. headers and env may hold handles of secrets."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                bodies.given("url") | {"properties": {"url": {"type": "string"}, "command": {"type": "null"}}},
                bodies.given("command") | {"properties": {"command": {"type": "array"}, "url": {"type": "null"}}},
            ]
        }
    )

    url: Url | None = None
    command: Annotated[list[str], Field(min_length=1, max_length=100)] | None = None
    headers: Headers = Field(default_factory=dict)
    env: dict[str, str] = Field(default_factory=dict)
    timeout: Annotated[float, Field(gt=0, le=600)] = 30
    max_bytes: Annotated[int, Field(ge=1_000, le=5_000_000)] = 200_000
    permission: Permitted = "allow"

    @model_validator(mode="after")
    def _one_way(self) -> "ServerRequest":
        if (self.url is None) == (self.command is None):
            raise ValueError("give `url` (streamable HTTP) or `command` (stdio)")
        return self


class HttpToolRequest(bodies.Body):
    """An endpoint of an app. secret: the name of the secret that calls are signed with."""

    description: Annotated[str, Field(min_length=1, max_length=5_000)]
    url: Url
    schema_: dict[str, Any] = Field(alias="schema")
    secret: str | None = None
    headers: Headers = Field(default_factory=dict)
    effect: Literal["pure", "idempotent", "unsafe"] = "idempotent"
    permission: Permitted = "allow"
    untrusted: bool = False
    timeout: Annotated[float, Field(gt=0, le=600)] = 30
    callback_seconds: Annotated[float, Field(gt=0, le=366 * 86_400)] = 86_400
    capabilities: list[str] = Field(default_factory=list)
    examples: list[str] = Field(default_factory=list)

    @field_validator("schema_")
    @classmethod
    def _schema(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            Draft202012Validator.check_schema(value)
        except SchemaError as error:
            raise ValueError(f"is not a JSON Schema: {error.message}") from error
        return value


class CallbackResult(bodies.Body):
    """How accepted work ended: `output`, or `error` in one sentence."""

    output: Any = None
    error: str | None = None


class ShownMcpTool(TypedDict):
    """A tool of an MCP server. state: new or changed ones wait for approval. hash, pinned: of what it says."""

    name: str
    tool: str
    state: str
    offered: dict[str, Any] | None
    hash: str | None
    pinned: str | None


class ShownServer(TypedDict):
    """An MCP server with its tools. env: only the names. error: why it could not be asked last."""

    name: str
    url: str | None
    command: list[str] | None
    headers: dict[str, str]
    env: list[str]
    timeout: float
    maxBytes: int
    permission: Permitted
    listedAt: Time | None
    error: str | None
    tools: list[ShownMcpTool]


class ShownEndpoint(TypedDict):
    """An endpoint that is registered as a tool. secret: the name of the one that calls are signed with."""

    name: str
    description: str
    schema: dict[str, Any]
    url: str
    secret: str | None
    headers: dict[str, str]
    effect: str
    permission: str
    untrusted: bool
    timeout: float
    callbackSeconds: float
    capabilities: list[str]
    examples: list[str]


@blueprint.get("/api/mcp-servers")
@declare.operation(gives=Page[ShownServer])
def servers() -> Response:
    """All MCP servers with their tools."""
    return wire.reply(queries.all_of(mcp_servers.listed(), lambda each: _server(*each)))


@blueprint.get("/api/mcp-servers/<name>")
@declare.operation(gives=ShownServer)
def server(name: str) -> Response:
    """One MCP server with its tools as they are described now, and whether each may be used."""
    return wire.reply(_server(*mcp_servers.get(name)))


@blueprint.put("/api/mcp-servers/<name>")
@declare.operation(takes=ServerRequest, gives=ShownServer, example={"url": "https://mcp.example.com/mcp"})
def put_server(name: str) -> Response:
    """Register or change an MCP server; workers ask it for its tools within seconds and pin what it says."""
    _check_name(name, NAME)
    asked, _ = bodies.read(ServerRequest)
    mcp_servers.put(name, _tenant(), asked.model_dump())
    return wire.reply(_server(*mcp_servers.get(name)))


@blueprint.delete("/api/mcp-servers/<name>")
@declare.operation(gives=Named)
def remove_server(name: str) -> Response:
    """Forget an MCP server and its tools."""
    mcp_servers.remove(name)
    return wire.reply({"name": name})


@blueprint.post("/api/mcp-servers/<name>/refresh")
@declare.operation(gives={202: ShownServer})
def refresh_server(name: str) -> Response:
    """Ask the server for its tools again, within seconds."""
    mcp_servers.refresh(name)
    return wire.reply(_server(*mcp_servers.get(name)), status=202)


@blueprint.post("/api/mcp-servers/<name>/tools/<tool>/approve")
@declare.operation(gives=ShownServer)
def approve_tool(name: str, tool: str) -> Response:
    """Trust what a new or changed tool says of itself now."""
    mcp_servers.approve(name, tool)
    return wire.reply(_server(*mcp_servers.get(name)))


@blueprint.get("/api/http-tools")
@declare.operation(gives=Page[ShownEndpoint])
def endpoints() -> Response:
    """All registered endpoints."""
    return wire.reply(queries.all_of(http_tools.listed(), _endpoint))


@blueprint.put("/api/http-tools/<name>")
@declare.operation(takes=HttpToolRequest, gives=ShownEndpoint, example=EXAMPLE)
def put_endpoint(name: str) -> Response:
    """Register or change an endpoint as the tool of this name; workers have it within seconds."""
    _check_name(name, TOOL_NAME)
    asked, _ = bodies.read(HttpToolRequest)
    fields = asked.model_dump()
    fields["schema"] = fields.pop("schema_")
    http_tools.put(name, _tenant(), fields)
    return wire.reply(next(_endpoint(each) for each in http_tools.listed() if each.name == name))


@blueprint.delete("/api/http-tools/<name>")
@declare.operation(gives=Named)
def remove_endpoint(name: str) -> Response:
    """Forget an endpoint."""
    http_tools.remove(name)
    return wire.reply({"name": name})


@blueprint.post("/callbacks/<run_id>/<step_id>/<token>")
@declare.operation(takes=CallbackResult, gives={202: Taken})
def callback(run_id: str, step_id: str, token: str) -> Response:
    """The result of work that a tool accepted with 202; the token in the address is the caller's key."""
    asked, _ = bodies.read(CallbackResult)
    result = {"error": asked.error} if asked.error is not None else {"output": asked.output}
    operating.carry_on(run_id, callbacks.deliver(run_id, step_id, token, result))
    return wire.reply({"status": "taken"}, status=202)


def _server(row: McpServer, tools: list[McpTool]) -> ShownServer:
    return {
        "name": row.name,
        "url": row.url,
        "command": row.command,
        "headers": row.headers,
        "env": sorted(row.env),
        "timeout": row.timeout,
        "maxBytes": row.max_bytes,
        "permission": row.permission,  # type: ignore[typeddict-item]
        "listedAt": clock.to_wire(row.listed_at),
        "error": row.error,
        "tools": [
            {
                "name": f"{row.name}{mcp_servers.SEPARATOR}{tool.name}",
                "tool": tool.name,
                "state": tool.state,
                "offered": tool.offered,
                "hash": tool.hash,
                "pinned": tool.pinned,
            }
            for tool in tools
        ],
    }


def _endpoint(row: HttpTool) -> ShownEndpoint:
    return {
        "name": row.name,
        "description": row.description,
        "schema": row.schema,
        "url": row.url,
        "secret": row.secret,
        "headers": row.headers,
        "effect": row.effect,
        "permission": row.permission,
        "untrusted": row.untrusted,
        "timeout": row.timeout,
        "callbackSeconds": row.callback_seconds,
        "capabilities": row.capabilities,
        "examples": row.examples,
    }


def _check_name(name: str, pattern: str) -> None:
    if not re.fullmatch(pattern, name) or mcp_servers.SEPARATOR in name:
        detail = f"must fit {pattern}, without {mcp_servers.SEPARATOR!r}."
        raise BadInput(f"The name {detail}", errors=[FieldError("#/name", detail)])


def _tenant() -> str:
    return authentication.caller().tenant
