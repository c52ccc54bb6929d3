"""perdure tree: a run with all that it has delegated, and what that has cost."""

from typing import Any

import click
import orjson
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from gateway.command_line import door
from gateway.command_line.run_view import MARKS, harmless


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@door.options
def tree(run_id: str, as_json: bool, url: str | None, key: str | None) -> None:
    """Show RUN with all that it has delegated, each with its own cost, and the cost of all together."""
    with door.client(url, key) as client:
        top = client.tree(run_id)
    if as_json:
        click.echo(orjson.dumps(top, option=orjson.OPT_INDENT_2))
        return
    shown = Tree(_label(top))
    _add(shown, top)
    console = Console()
    console.print(shown)
    total = top["total"]
    console.print(f"{total['calls']} calls of models, {total['tokens']} tokens, ${total['cost']:.4f} in all")


def _add(branch: Tree, node: dict[str, Any]) -> None:
    for child in node["children"]:
        _add(branch.add(_label(child)), child)


def _label(node: dict[str, Any]) -> Text:
    mark, style = MARKS.get(node["status"], ("·", "dim"))
    asked = harmless(" ".join((node["request"] or "(plan)").split()))[:60]
    step = f"{node['stepId']} " if node["stepId"] else ""
    again = f" (try {node['number']})" if (node["number"] or 1) > 1 else ""
    label = Text(f"{mark} ", style)
    label.append(f"{step}{harmless(node['agent'] or '')} ".lstrip(), "bold")
    label.append(f"{asked}{again}  ")
    label.append(f"{node['workflowId']} {node['status']} ${node['own']['cost']:.4f}", "dim")
    return label
