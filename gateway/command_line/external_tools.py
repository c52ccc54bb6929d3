"""perdure mcp, http-tools: register tools at run time, and approve what changed."""

from typing import Any

import click
import orjson

from gateway.command_line import door
from gateway.command_line.run_view import harmless
from gateway.command_line.surgery import Json


@click.group()
def mcp() -> None:
    """MCP servers whose tools steps may call."""


@mcp.command("list")
@door.options
def servers(url: str | None, key: str | None) -> None:
    """List servers and their tools; `changed` and `new` ones are disabled until they are approved."""
    with door.client(url, key) as client:
        for server in client.mcp_servers():
            where = server["url"] or " ".join(server["command"])
            click.echo(harmless(f"{server['name']}  {where}" + (f"  ({server['error']})" if server["error"] else "")))
            for tool in server["tools"]:
                said = (tool["offered"] or {}).get("description", "").strip().partition("\n")[0]
                click.echo(harmless(f"  {tool['state']:<8} {tool['name']}: {said}"))


@mcp.command("add")
@click.argument("name")
@click.argument("where", nargs=-1, required=True, metavar="URL|COMMAND…")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="Handles of secrets are filled in.")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="For a command; handles of secrets are filled in.")
@click.option("--timeout", type=float, help="Seconds for one call [default: 30].")
@click.option("--permission", type=click.Choice(["allow", "ask", "deny"]))
@door.options
def add_server(name: str, where: tuple[str, ...], url: str | None, key: str | None, **options: Any) -> None:
    """Register the server NAME at a URL, or started by a COMMAND (put -- before one that has options)."""
    at_url = len(where) == 1 and where[0].startswith(("http://", "https://"))
    fields: dict[str, Any] = {"url": where[0]} if at_url else {"command": list(where)}
    fields["headers"] = dict(_pair(each, ":") for each in options["headers"])
    fields["env"] = dict(_pair(each, "=") for each in options["env"])
    fields |= {name: options[name] for name in ("timeout", "permission") if options[name] is not None}
    with door.client(url, key) as client:
        client.put_mcp_server(name, **fields)
    click.echo(f"{name} is registered; its tools are there in seconds (`perdure mcp list`)")


@mcp.command("approve")
@click.argument("name")
@click.argument("tool")
@door.options
def approve_tool(name: str, tool: str, url: str | None, key: str | None) -> None:
    """Trust what TOOL of the server NAME says of itself now."""
    with door.client(url, key) as client:
        client.approve_mcp_tool(name, tool)


@mcp.command("remove")
@click.argument("name")
@door.options
def remove_server(name: str, url: str | None, key: str | None) -> None:
    """Forget the server NAME."""
    with door.client(url, key) as client:
        client.remove_mcp_server(name)


@click.group("http-tools")
def http_tools() -> None:
    """Endpoints of your own that steps may call."""


@http_tools.command("list")
@door.options
def endpoints(url: str | None, key: str | None) -> None:
    """List the endpoints."""
    with door.client(url, key) as client:
        for each in client.http_tools():
            click.echo(harmless(f"{each['name']}  {each['effect']}  {each['url']}: {each['description']}"))


@http_tools.command("add")
@click.argument("name")
@click.argument("endpoint", metavar="URL")
@click.option("--description", required=True, help="What it does; the planner reads it.")
@click.option("--schema", type=Json(), required=True, help="JSON Schema of its arguments.")
@click.option("--secret", help="Name of the secret to sign calls with.")
@click.option("--effect", type=click.Choice(["pure", "idempotent", "unsafe"]))
@click.option("--permission", type=click.Choice(["allow", "ask", "deny"]))
@door.options
def add_endpoint(name: str, endpoint: str, url: str | None, key: str | None, **options: Any) -> None:
    """Register the endpoint at URL as the tool NAME."""
    fields = {name: value for name, value in options.items() if value is not None}
    with door.client(url, key) as client:
        click.echo(orjson.dumps(client.put_http_tool(name, url=endpoint, **fields), option=orjson.OPT_INDENT_2))


@http_tools.command("remove")
@click.argument("name")
@door.options
def remove_endpoint(name: str, url: str | None, key: str | None) -> None:
    """Forget the endpoint NAME."""
    with door.client(url, key) as client:
        client.remove_http_tool(name)


def _pair(text: str, separator: str) -> tuple[str, str]:
    name, found, value = text.partition(separator)
    if not name or not found:
        raise click.UsageError(f"{text!r} must be NAME{separator}VALUE.")
    return name.strip(), value.strip()
