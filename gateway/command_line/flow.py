"""perdure flow: limits of parallelism and rate per key; list, set, remove, pause, resume."""

from typing import Any

import click
import orjson

from gateway.command_line import door
from gateway.command_line.run_view import harmless


@click.group()
def flow() -> None:
    """Limit how many steps run at once, or start in a period: tool:NAME, tenant:NAME, agent:NAME, or a free key."""


@flow.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@door.options
def listed(as_json: bool, url: str | None, key: str | None) -> None:
    """List the limits with what runs and waits at them now."""
    with door.client(url, key) as client:
        items = client.flow()
    if as_json:
        click.echo(orjson.dumps(items, option=orjson.OPT_INDENT_2))
        return
    for limit in items:
        click.echo(_line(limit))
    if not items:
        click.echo("There is no limit.", err=True)


@flow.command("set")
@click.argument("flow_key", metavar="KEY")
@click.option("--parallelism", type=click.IntRange(1), help="So many steps at once.")
@click.option("--rate", type=click.IntRange(1), help="So many starts in a period.")
@click.option("--period", type=float, help="Seconds of that period [default: 1].")
@door.options
def set_limit(flow_key: str, url: str | None, key: str | None, **limits: Any) -> None:
    """Make or change the limit of KEY."""
    with door.client(url, key) as client:
        click.echo(_line(client.set_flow(flow_key, **{name: value for name, value in limits.items() if value})))


@flow.command()
@click.argument("flow_key", metavar="KEY")
@door.options
def remove(flow_key: str, url: str | None, key: str | None) -> None:
    """Take the limit of KEY away."""
    with door.client(url, key) as client:
        client.remove_flow(flow_key)
    click.echo(f"{flow_key} is not limited any more")


@flow.command()
@click.argument("flow_key", metavar="KEY")
@door.options
def pause(flow_key: str, url: str | None, key: str | None) -> None:
    """Let no step of KEY start until it is resumed; steps at work may end."""
    with door.client(url, key) as client:
        click.echo(_line(client.pause_flow(flow_key)))


@flow.command()
@click.argument("flow_key", metavar="KEY")
@door.options
def resume(flow_key: str, url: str | None, key: str | None) -> None:
    """Let the steps of KEY start again."""
    with door.client(url, key) as client:
        click.echo(_line(client.resume_flow(flow_key)))


def _line(limit: dict[str, Any]) -> str:
    most = f" of {limit['parallelism']}" if limit["parallelism"] else ""
    rate = f", {limit['started']} of {limit['rate']} started in {limit['period']:g} s" if limit["rate"] else ""
    paused = ", paused" if limit["paused"] else ""
    return f"{harmless(limit['key'])}  {limit['running']}{most} running, {limit['waiting']} waiting{rate}{paused}"
