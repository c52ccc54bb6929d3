"""Which stack a command talks to: the options that all client commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gateway.client import Client
from services import settings

Command = TypeVar("Command", bound=Callable[..., Any])


def options(command: Command) -> Command:
    """Give a command the options `--url` and `--key`, passed on as `url` and `key`."""
    command = click.option("--url", help="Address of the stack [default: PERDURE_URL, or this machine at PORT].")(
        command
    )
    return click.option("--key", help="API key [default: PERDURE_API_KEY].")(command)


def client(url: str | None, key: str | None) -> Client:
    """A client of the stack that options or settings name."""
    current = settings.current()
    secret = key or (current.api_key.get_secret_value() if current.api_key else None)
    return Client(url or current.url or f"http://127.0.0.1:{current.port}", secret)
