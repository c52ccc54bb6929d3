"""perdure webhooks, perdure triggers: who is told of runs, and URLs that start them."""

from typing import Any

import click
import orjson

from gateway.command_line import door
from gateway.command_line.run_view import harmless


@click.group()
def webhooks() -> None:
    """Tell a URL what happens to runs and approvals (Standard Webhooks)."""


@webhooks.command("list")
@door.options
def listed(url: str | None, key: str | None) -> None:
    """List the subscriptions."""
    with door.client(url, key) as client:
        for each in client.webhooks():
            paused = (
                f"  paused{': ' + each['pausedBecause'] if each['pausedBecause'] else ''}" if each["paused"] else ""
            )
            click.echo(f"{each['id']}  {harmless(each['url'])}  {', '.join(each['events'])}{paused}")


@webhooks.command()
@click.argument("where", metavar="URL")
@click.option("--event", "events", multiple=True, help="An event or a pattern like run.* [default: ends of runs].")
@click.option("--label", multiple=True, metavar="NAME:VALUE", help="Only of runs with this label.")
@door.options
def add(where: str, events: tuple[str, ...], label: tuple[str, ...], url: str | None, key: str | None) -> None:
    """Subscribe URL; prints the id, and the secret that signs, which is shown this once."""
    fields: dict[str, Any] = {"events": list(events)} if events else {}
    if label:
        fields["labels"] = dict(_label(each) for each in label)
    with door.client(url, key) as client:
        made = client.add_webhook(where, **fields)
    click.echo(f"{made['id']}\n{made['secret']}")


@webhooks.command()
@click.argument("webhook_id", metavar="WEBHOOK")
@click.option("--keep", default=86_400.0, show_default=True, help="Seconds for which the former secret signs too.")
@door.options
def rotate(webhook_id: str, keep: float, url: str | None, key: str | None) -> None:
    """Give WEBHOOK a new secret; prints it."""
    with door.client(url, key) as client:
        click.echo(client.rotate_webhook(webhook_id, keep)["secret"])


@webhooks.command()
@click.argument("webhook_id", metavar="WEBHOOK")
@door.options
def test(webhook_id: str, url: str | None, key: str | None) -> None:
    """Send a ping; prints its message's id (perdure messages show)."""
    with door.client(url, key) as client:
        click.echo(client.test_webhook(webhook_id))


@webhooks.command()
@click.argument("webhook_id", metavar="WEBHOOK")
@door.options
def pause(webhook_id: str, url: str | None, key: str | None) -> None:
    """Tell it nothing until it is resumed."""
    with door.client(url, key) as client:
        client.change_webhook(webhook_id, paused=True)


@webhooks.command()
@click.argument("webhook_id", metavar="WEBHOOK")
@door.options
def resume(webhook_id: str, url: str | None, key: str | None) -> None:
    """Tell it again what happens from now on."""
    with door.client(url, key) as client:
        client.change_webhook(webhook_id, paused=False)


@webhooks.command()
@click.argument("webhook_id", metavar="WEBHOOK")
@door.options
def remove(webhook_id: str, url: str | None, key: str | None) -> None:
    """End the subscription WEBHOOK."""
    with door.client(url, key) as client:
        client.remove_webhook(webhook_id)


@click.group()
def triggers() -> None:
    """URLs that start runs."""


@triggers.command("list")
@door.options
def list_triggers(url: str | None, key: str | None) -> None:
    """List the triggers with their URLs."""
    with door.client(url, key) as client:
        for each in client.triggers():
            click.echo(f"{harmless(each['name'])}  {each['url']}  {each['mode']}{'  paused' if each['paused'] else ''}")


@triggers.command("add")
@click.argument("name")
@click.argument("start", metavar="REQUEST_OR_JSON")
@click.option("--mode", default="signed", show_default=True, type=click.Choice(["signed", "url"]), help="Who may call.")
@door.options
def add_trigger(name: str, start: str, mode: str, url: str | None, key: str | None) -> None:
    """Make a URL whose calls ask REQUEST, with places like {{body.order.id}}; or start what the JSON says."""
    template = orjson.loads(start) if start.lstrip().startswith("{") and '"' in start else {"request": start}
    with door.client(url, key) as client:
        made = client.add_trigger(name, template, mode=mode)
    click.echo(made["url"] + (f"\n{made['secret']}" if made["secret"] else ""))


@triggers.command("remove")
@click.argument("name")
@door.options
def remove_trigger(name: str, url: str | None, key: str | None) -> None:
    """Forget the trigger NAME; its URL is unknown from now on."""
    with door.client(url, key) as client:
        client.remove_trigger(name)


def _label(label: str) -> tuple[str, str]:
    name, separator, value = label.partition(":")
    if not name or not separator:
        raise click.UsageError(f"--label {label!r} must be NAME:VALUE, like team:red.")
    return name, value
