"""perdure publish, perdure messages, perdure queues: send messages to URLs and see what became of them."""

from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table

from gateway.command_line import door
from gateway.command_line.run_view import harmless

VERBS = ("cancel", "retry-now", "redrive", "discard")


@click.command()
@click.argument("where", metavar="URL_OR_GROUP")
@click.argument("body", required=False)
@click.option("--delay", type=float, help="Seconds until the first attempt.")
@click.option("--retries", type=click.IntRange(0, 100), help="Attempts after the first [default: 8].")
@click.option("--retry-delay", help="Seconds between attempts, like 'min(600, 2 ** attempt)'.")
@click.option("--timeout", type=float, help="Seconds for an attempt [default: 30].")
@click.option("--queue", help="Ordered queue: each after the one before.")
@click.option("--secret", help="Name of the secret that signs it (perdure secrets).")
@click.option("--header", multiple=True, metavar="NAME:VALUE", help="A header of the request.")
@click.option("--id", "deduplication_id", help="Take a message with this id once a day.")
@door.options
def publish(
    where: str, body: str | None, header: tuple[str, ...], url: str | None, key: str | None, **fields: Any
) -> None:
    """Deliver BODY (JSON, or any text) to a URL, or to every URL of a group; prints the ids of the messages."""
    given = {_camel(name): value for name, value in fields.items() if value is not None}
    given |= {"url" if "://" in where else "group": where} | _content(body)
    if header:
        given["headers"] = dict(_header(each) for each in header)
    with door.client(url, key) as client:
        made = client.publish(**given)
    for each in made.get("items", [made]):
        click.echo(each["id"] + ("  (taken before)" if each["deduplicated"] else ""))


@click.group()
def messages() -> None:
    """Look at what was published, and take care of it."""


@messages.command("list")
@click.option("--status", help="queued, throttled, waiting, delivering, delivered, dead, cancelled or discarded.")
@click.option("--queue", help="Only of this queue.")
@click.option("--group", help="Only of this URL group.")
@click.option("--webhook", help="Only of this webhook subscription.")
@click.option("--run", "workflowId", help="Only of this run.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 200), help="How many.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@door.options
def listed(as_json: bool, url: str | None, key: str | None, **asked: Any) -> None:
    """List messages, newest first."""
    with door.client(url, key) as client:
        items = client.messages(**asked)["items"]
    if as_json:
        click.echo(orjson.dumps(items, option=orjson.OPT_INDENT_2))
        return
    for each in items:
        detail = (each["error"] or {}).get("detail", "")
        click.echo(
            f"{each['id']}  {each['createdAt'][:19]}  {each['status']:10}  {each['tries']}x  "
            f"{harmless(each['url'])}  {harmless(detail)}".rstrip()
        )
    if not items:
        click.echo("No message fits.", err=True)


@messages.command()
@click.argument("message_id", metavar="MESSAGE")
@door.options
def show(message_id: str, url: str | None, key: str | None) -> None:
    """Show MESSAGE with every attempt, as JSON."""
    with door.client(url, key) as client:
        click.echo(orjson.dumps(client.message(message_id), option=orjson.OPT_INDENT_2))


@messages.command()
@click.argument("verb", type=click.Choice(VERBS))
@click.argument("message_ids", metavar="MESSAGE…", nargs=-1, required=True)
@door.options
def settle(verb: str, message_ids: tuple[str, ...], url: str | None, key: str | None) -> None:
    """Cancel each MESSAGE, try it now, redrive a dead one, or discard it."""
    with door.client(url, key) as client:
        for message_id in message_ids:
            click.echo(f"{message_id} is {client.change_message(message_id, verb)['status']}")


@messages.command("settle-all")
@click.argument("verb", type=click.Choice(VERBS))
@click.option("--status", help="Only in this state.")
@click.option("--queue", help="Only of this queue.")
@click.option("--group", help="Only of this URL group.")
@click.option("--dry-run", is_flag=True, help="Only say which it would be.")
@door.options
def settle_all(verb: str, dry_run: bool, url: str | None, key: str | None, **asked: Any) -> None:
    """Do that to all messages that fit."""
    with door.client(url, key) as client:
        done = client.change_messages(verb, {k: v for k, v in asked.items() if v}, dry_run=dry_run)
    for each in done:
        click.echo(f"{each['id']}  {each['refused'] or ''}".rstrip())


@click.group()
def queues() -> None:
    """Ordered queues of messages."""


@queues.command("list")
@door.options
def list_queues(url: str | None, key: str | None) -> None:
    """List the queues with how many messages are open and how many come after them."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("queue", "at a time", "open", "queued", ""):
        table.add_column(heading)
    with door.client(url, key) as client:
        for each in client.queues():
            counts = [str(each[name]) for name in ("parallelism", "open", "queued")]
            table.add_row(harmless(each["name"]), *counts, "paused" if each["paused"] else "")
    Console().print(table)


@queues.command("set")
@click.argument("name")
@click.option("--parallelism", default=1, show_default=True, type=click.IntRange(1, 1_000), help="1: strict order.")
@door.options
def set_queue(name: str, parallelism: int, url: str | None, key: str | None) -> None:
    """Make the queue NAME, or change how many of its messages are open at a time."""
    with door.client(url, key) as client:
        client.put_queue(name, parallelism)


@queues.command()
@click.argument("name")
@door.options
def pause(name: str, url: str | None, key: str | None) -> None:
    """Send nothing of the queue NAME until it is resumed."""
    with door.client(url, key) as client:
        client.pause_queue(name)


@queues.command()
@click.argument("name")
@door.options
def resume(name: str, url: str | None, key: str | None) -> None:
    """Go on with the queue NAME."""
    with door.client(url, key) as client:
        client.pause_queue(name, paused=False)


def _content(body: str | None) -> dict[str, Any]:
    if body is None:
        return {}
    try:
        return {"body": orjson.loads(body)}
    except orjson.JSONDecodeError:
        return {"text": body}


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator:
        raise click.UsageError(f"--header {text!r} must be NAME:VALUE.")
    return name.strip(), value.strip()


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.title() for part in others)
