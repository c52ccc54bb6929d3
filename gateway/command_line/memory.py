"""perdure memory: what is remembered, where it comes from, and what people may do about it."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from gateway.command_line import door
from gateway.command_line.run_view import harmless

_user = click.option("--user", default="default", show_default=True, help="Whose memories.")


@click.group()
def memory() -> None:
    """Look into the long-term memory, correct it, forget, review, carry it elsewhere."""


@memory.command()
@click.argument("query")
@_user
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 200), help="How many at most.")
@click.option("--as-of", help="As things stood then (RFC 3339 with zone).")
@click.option("--explain", is_flag=True, help="Show what each score is made of.")
@door.options
def search(query: str, user: str, k: int, as_of: str | None, explain: bool, url: str | None, key: str | None) -> None:  # noqa: PLR0913 (one argument an option)
    """Find the memories that fit QUERY best."""
    asked: dict[str, Any] = {"userId": user, "k": k, "explain": explain}
    with door.client(url, key) as client:
        items = client.search_memory(query, **asked, **({"asOf": as_of} if as_of else {}))
    _show(items)
    if not items:
        click.echo("Nothing is remembered that fits.", err=True)


@memory.command()
@click.argument("text")
@_user
@click.option("--learn", is_flag=True, help="Take the facts out of it and keep what is new.")
@door.options
def add(text: str, user: str, learn: bool, url: str | None, key: str | None) -> None:
    """Remember TEXT."""
    with door.client(url, key) as client:
        answer = client.remember(text, userId=user, learn=learn)
    click.echo("\n".join(answer["ids"]) if learn else answer["id"])


@memory.command("list")
@_user
@click.option("--kind", type=click.Choice(["message", "episode", "fact", "note"]))
@click.option("--all", "every", is_flag=True, help="Also what is superseded, expired or in quarantine.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 200))
@door.options
def list_(user: str, kind: str | None, every: bool, limit: int, url: str | None, key: str | None) -> None:
    """List memories, newest first."""
    with door.client(url, key) as client:
        _show(client.memories(userId=user, kind=kind, limit=limit, all="true" if every else None)["items"])


@memory.command()
@click.argument("memory_id")
@door.options
def why(memory_id: str, url: str | None, key: str | None) -> None:
    """Say where a memory comes from and whether it is found."""
    with door.client(url, key) as client:
        answer = client.memory(memory_id)
    click.echo(harmless(answer["text"]))
    click.echo(harmless(answer["why"]))
    for name, ids in (("derived from it", answer["derived"]), ("its history", answer["history"])):
        if len(ids) > (name == "its history"):
            click.echo(f"{name}: {', '.join(ids)}")


@memory.command()
@click.argument("memory_id")
@door.options
def history(memory_id: str, url: str | None, key: str | None) -> None:
    """Show what a memory superseded and what superseded it, oldest first."""
    with door.client(url, key) as client:
        _show(client.memory(memory_id, "/history")["items"])


@memory.command()
@click.argument("memory_id")
@click.argument("text")
@door.options
def supersede(memory_id: str, text: str, url: str | None, key: str | None) -> None:
    """Put TEXT in a memory's place; the old one stays as history."""
    with door.client(url, key) as client:
        click.echo(client.change_memory(memory_id, "supersede", text=text)["id"])


@memory.command()
@click.argument("memory_id", required=False)
@click.option("--run", "run_id", help="Forget all that this run left.")
@door.options
def forget(memory_id: str | None, run_id: str | None, url: str | None, key: str | None) -> None:
    """Delete a memory with its vectors and what was derived from it."""
    if (memory_id is None) == (run_id is None):
        raise click.UsageError("Give the id of a memory, or --run.")
    with door.client(url, key) as client:
        gone = client.forget(memory_id=memory_id, run_id=run_id)
    click.echo(f"{len(gone)} forgotten")


@memory.command()
@click.option("--user", help="Of this user only.")
@click.option("--release", "memory_id", help="Let this one be found.")
@door.options
def quarantine(user: str | None, memory_id: str | None, url: str | None, key: str | None) -> None:
    """List what waits for a review; --release lets one out, `forget` rejects it."""
    with door.client(url, key) as client:
        if memory_id is not None:
            _show([client.change_memory(memory_id, "release")])
            return
        items = client.memory("quarantine", f"?userId={user}" if user else "")["items"]
    for item in items:
        click.echo(f"{item['id']}  {item['quarantineReason']}, from {harmless(item['source']['url'] or '?')}")
        click.echo(f"  {harmless(' '.join(item['text'].split()))[:200]}")


@memory.command("export")
@click.option("--user", help="Of this user only.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File [default: standard output]."
)
@door.options
def export(user: str | None, output: Path | None, url: str | None, key: str | None) -> None:
    """Write memories as lines of JSON."""
    with door.client(url, key) as client:
        lines = client.export_memories(user)
    if output is None:
        click.echo(lines.decode(), nl=False)
    else:
        output.write_bytes(lines)


@memory.command("import")
@click.argument("file", type=click.File("rb"))
@door.options
def take_in(file: Any, url: str | None, key: str | None) -> None:
    """Take in the lines of an export; what is there already is left as it is."""
    lines, imported = file.read().splitlines(keepends=True), 0
    with door.client(url, key) as client:
        for start in range(0, len(lines), 500):
            imported += client.import_memories(b"".join(lines[start : start + 500]))["imported"]
    click.echo(f"{imported} new of {len(lines)}")


@memory.command()
@click.option("--model", help="The embedding model [default: the configured one].")
@click.option("--status", is_flag=True, help="Only say how far it is.")
@door.options
def reembed(model: str | None, status: bool, url: str | None, key: str | None) -> None:
    """Move all memories to another embedding model in the background; searches go on meanwhile."""
    with door.client(url, key) as client:
        if not status:
            client.reembed(model)
        for one in client.embedding():
            click.echo(f"{one['model']}  {one['state']}  {one['vectors']} vectors, {one['pending']} to do")


def _show(items: list[dict[str, Any]]) -> None:
    console = Console()
    for item in items:
        lead = f"{item['id']}  {item['at'][:10]} {item['kind']:<8}"
        console.print(Text.assemble((lead, "dim"), " ", harmless(item["text"])))
        if "explain" in item:
            parts = ", ".join(f"{name} {value}" for name, value in item["explain"]["parts"].items())
            console.print(Text(f"    score {item['score']:.3f}: {parts}", "dim"))
