"""perdure secrets: keep, list and forget secrets, which steps use by their handles."""

import sys

import click

from gateway.command_line import door


@click.group()
def secrets() -> None:
    """Secrets that tools may use; no plan, log or answer ever holds one."""


@secrets.command("list")
@door.options
def listed(url: str | None, key: str | None) -> None:
    """List names, handles and the hosts that each may be sent to."""
    with door.client(url, key) as client:
        for secret in client.secrets():
            click.echo(f"{secret['name']}  {secret['handle']}  {' '.join(secret['hosts']) or '(to no host)'}")


@secrets.command("set")
@click.argument("name")
@click.option("--host", "hosts", multiple=True, help="A host that it may be sent to (a pattern); several times.")
@door.options
def put(name: str, hosts: tuple[str, ...], url: str | None, key: str | None) -> None:
    """Keep the secret NAME; its value is asked for, or read from standard input."""
    value = click.prompt("Value", hide_input=True) if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    with door.client(url, key) as client:
        click.echo(client.set_secret(name, value, list(hosts))["handle"])


@secrets.command()
@click.argument("name")
@door.options
def remove(name: str, url: str | None, key: str | None) -> None:
    """Forget the secret NAME."""
    with door.client(url, key) as client:
        client.remove_secret(name)
