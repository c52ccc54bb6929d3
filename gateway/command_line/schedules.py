"""perdure schedules: list, add, preview, pause, resume, run-now, remove."""

from typing import Any

import click
from rich.console import Console
from rich.table import Table

from gateway.command_line import door
from gateway.command_line.run_view import harmless


@click.group()
def schedules() -> None:
    """Start runs by the clock."""


def _timing(command: Any) -> Any:
    for option in (
        click.option("--cron", help="Minute, hour, day, month, weekday."),
        click.option("--every", type=float, help="Seconds."),
        click.option("--at", help="One moment, like 2026-12-24T18:00:00Z."),
        click.option("--timezone", default="UTC", show_default=True, help="IANA zone of --cron."),
    ):
        command = option(command)
    return command


@schedules.command("list")
@door.options
def listed(url: str | None, key: str | None) -> None:
    """List all schedules."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("schedule", "when", "next", ""):
        table.add_column(heading)
    with door.client(url, key) as client:
        for one in client.schedules():
            table.add_row(one["name"], one["explained"], one["nextAt"] or "–", "paused" if one["paused"] else "")
    Console().print(table)


@schedules.command()
@click.argument("name")
@click.argument("request")
@_timing
@click.option("--overlap", default="skip", show_default=True, type=click.Choice(["allow", "skip", "queue", "cancel"]))
@click.option("--catchup", default="last", show_default=True, type=click.Choice(["none", "last", "all"]))
@click.option("--agent", help="Which agent.")
@door.options
def add(name: str, request: str, agent: str | None, url: str | None, key: str | None, **fields: Any) -> None:
    """Add a schedule NAME that asks REQUEST."""
    run = {"request": request} | ({"agent": agent} if agent else {})
    with door.client(url, key) as client:
        made = client.add_schedule({"name": name, "run": run} | _given(fields))
    click.echo(f"{harmless(made['explained'])}; next at {made['nextAt']}.")


@schedules.command()
@_timing
@door.options
def preview(url: str | None, key: str | None, **fields: Any) -> None:
    """Show when a timing is due."""
    with door.client(url, key) as client:
        shown = client.preview_schedule(_given(fields))
    click.echo("\n".join([harmless(shown["explained"]), *shown["upcoming"]]))


@schedules.command()
@click.argument("name")
@door.options
def pause(name: str, url: str | None, key: str | None) -> None:
    """Start nothing until it is resumed."""
    with door.client(url, key) as client:
        client.change_schedule(name, {"paused": True})


@schedules.command()
@click.argument("name")
@door.options
def resume(name: str, url: str | None, key: str | None) -> None:
    """Go on, and make up for what was missed as its catchup says."""
    with door.client(url, key) as client:
        client.change_schedule(name, {"paused": False})


@schedules.command("run-now")
@click.argument("name")
@door.options
def run_now(name: str, url: str | None, key: str | None) -> None:
    """Start a run beside all slots; prints its id."""
    with door.client(url, key) as client:
        click.echo(client.run_schedule(name)["workflowId"])


@schedules.command()
@click.argument("name")
@door.options
def remove(name: str, url: str | None, key: str | None) -> None:
    """Drop a schedule; its runs go on."""
    with door.client(url, key) as client:
        client.remove_schedule(name)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
