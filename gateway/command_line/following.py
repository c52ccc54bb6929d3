"""Follow a run in the terminal until it ends: a live tree on a screen, plain lines in a pipe."""

import sys

import click
from rich.console import Console
from rich.live import Live

from gateway.client import Client
from gateway.command_line.run_view import RunView, harmless, line


def to_the_end(client: Client, run_id: str, *, after: int = 0, quiet: bool = False) -> RunView:
    """Show the run's events as they come; returns the picture at the end. quiet: show nothing."""
    view = RunView()
    if quiet or not sys.stdout.isatty():
        for event in client.events(run_id, after):
            view.take(event)
            shown = None if quiet else line(event)
            if shown:
                click.echo(shown)
        return view
    with Live(view.tree(), console=Console(), refresh_per_second=12, vertical_overflow="visible") as screen:
        for event in client.events(run_id, after):
            view.take(event)
            screen.update(view.tree())
    return view


def say_how_it_ended(view: RunView) -> int:
    """Print the answer (and the error, if any); returns the exit code."""
    if view.answer:
        click.echo(harmless(view.answer))
    if view.status != "succeeded":
        click.echo(f"perdure: the run {view.status}{': ' + harmless(view.error) if view.error else ''}", err=True)
        return 1
    return 0
