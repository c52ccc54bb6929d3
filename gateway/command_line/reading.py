"""perdure runs, show, tools: what has run, how one run went, what plans may call."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.command_line import door
from gateway.command_line.run_view import MARKS, harmless


@click.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200), help="How many.")
@click.option("--status", multiple=True, help="Only those of this status; live: all that have not ended.")
@click.option("--label", multiple=True, metavar="NAME:VALUE", help="Only those with this label.")
@click.option("--agent", help="Only those of this agent.")
@click.option("--text", help="Only those with this in the request, the answer or the id.")
@click.option("--since", metavar="TIME", help="Only those from this time on, like 2026-01-31T12:00:00Z.")
@click.option("--until", metavar="TIME", help="Only those before this time.")
@click.option("--sort", type=click.Choice(["-createdAt", "createdAt", "-finishedAt", "finishedAt"]), help="The order.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@door.options
def runs(as_json: bool, url: str | None, key: str | None, **asked: Any) -> None:
    """List runs, newest first."""
    with door.client(url, key) as client:
        items = client.listed(**asked)["items"]
    if as_json:
        click.echo(orjson.dumps(items, option=orjson.OPT_INDENT_2))
        return
    table = _table("run", "status", "created", "request")
    for run in items:
        table.add_row(run["id"], run["status"], run["createdAt"][:19], Text(_one_line(run["request"] or "(plan)")))
    Console().print(table)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@door.options
def show(run_id: str, as_json: bool, url: str | None, key: str | None) -> None:
    """Show RUN: its request, its steps with their outputs, its answer."""
    with door.client(url, key) as client:
        run = client.get(run_id)
    if as_json:
        click.echo(orjson.dumps(run, option=orjson.OPT_INDENT_2))
        return
    console = Console()
    console.print(Text(f"{run['id']}  {run['status']}", style="bold"))
    if run["request"]:
        console.print(Text(harmless(run["request"])))
    if run["steps"]:
        console.print(_steps(run["steps"]))
    if run["answer"]:
        console.print(Text(harmless(run["answer"])))
    if run["error"]:
        console.print(Text(harmless(run["error"].get("detail", "")), style="red"))


@click.command()
@click.argument("request", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON, with schemas.")
@door.options
def tools(request: str | None, as_json: bool, url: str | None, key: str | None) -> None:
    """List the tools that plans may call, or those that fit REQUEST best."""
    with door.client(url, key) as client:
        items = client.tools(request)
    if as_json:
        click.echo(orjson.dumps(items, option=orjson.OPT_INDENT_2))
        return
    table = _table("tool", "effect", "what it does")
    for tool in items:
        table.add_row(tool["name"], tool["effect"], Text(_one_line(tool["description"])))
    Console().print(table)


def _steps(steps: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("", "step", "tool", "after", "tries", "output")
    for step in steps:
        mark, style = MARKS.get(step["status"], ("?", ""))
        outcome = (step["error"] or {}).get("detail") or orjson.dumps(step["output"]).decode()
        row = (Text(mark, style), step["id"], step["tool"], ", ".join(step["dependsOn"]), str(step["attempts"]))
        table.add_row(*row, Text(_one_line(outcome if step["finishedAt"] else step["status"])))
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for place, heading in enumerate(headings):
        last = place == len(headings) - 1
        table.add_column(heading, no_wrap=True, overflow="ellipsis" if last else "ignore", ratio=1 if last else None)
    return table


def _one_line(text: str) -> str:
    return harmless(" ".join(text.split()))
