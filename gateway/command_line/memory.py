"""perdure memory: search what is remembered of a user, and add to it."""

import click
from rich.console import Console
from rich.text import Text

from gateway.command_line import door
from gateway.command_line.run_view import harmless


@click.group()
def memory() -> None:
    """Look into the long-term memory of a user."""


@memory.command()
@click.argument("query")
@click.option("--user", default="default", show_default=True, help="Whose memories.")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 200), help="How many at most.")
@door.options
def search(query: str, user: str, k: int, url: str | None, key: str | None) -> None:
    """Find the memories that fit QUERY best."""
    with door.client(url, key) as client:
        items = client.search_memory(query, userId=user, k=k)
    console = Console()
    for item in items:
        console.print(Text.assemble((f"{item['at'][:10]} {item['kind']:<8}", "dim"), " ", harmless(item["text"])))
    if not items:
        click.echo("Nothing is remembered that fits.", err=True)


@memory.command()
@click.argument("text")
@click.option("--user", default="default", show_default=True, help="Whose memory it becomes.")
@door.options
def add(text: str, user: str, url: str | None, key: str | None) -> None:
    """Remember TEXT."""
    with door.client(url, key) as client:
        click.echo(client.remember(text, userId=user)["id"])
