"""perdure usage, agents: what calls of models took and cost; the profiles that runs can be given."""

import click
import orjson
from rich.console import Console
from rich.table import Table

from gateway.command_line import door
from gateway.command_line.run_view import harmless


@click.command()
@click.option("--by", default="day", show_default=True, type=click.Choice(["day", "model", "agent", "run", "step"]))
@click.option("--run", "run_id", help="Only of this run.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@door.options
def usage(by: str, run_id: str | None, as_json: bool, url: str | None, key: str | None) -> None:
    """Show what the calls of models took and cost (US dollars)."""
    with door.client(url, key) as client:
        items = client.usage(by=by, runId=run_id)
    if as_json:
        click.echo(orjson.dumps(items, option=orjson.OPT_INDENT_2))
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in (by, "calls", "input", "cached", "output", "cost"):
        table.add_column(heading, justify="left" if heading == by else "right")
    for row in items:
        cost = "unknown" if row["cost"] is None else f"{row['cost']:.4f}" + ("+" if row["unpricedCalls"] else "")
        counts = (str(row[name]) for name in ("calls", "inputTokens", "cachedTokens", "outputTokens"))
        table.add_row(harmless(row["group"] or "–"), *counts, cost)
    Console().print(table)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, whole.")
@door.options
def agents(as_json: bool, url: str | None, key: str | None) -> None:
    """List the agents that runs can be given by name."""
    with door.client(url, key) as client:
        items = client.agents()
    if as_json:
        click.echo(orjson.dumps(items, option=orjson.OPT_INDENT_2))
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("agent", "model", "tools", "what it is"):
        table.add_column(heading)
    for agent in items:
        allowed = "all" if agent["tools"] is None else ", ".join(agent["tools"])
        table.add_row(agent["name"], agent["model"] or "–", allowed, harmless(agent["description"] or ""))
    Console().print(table)
