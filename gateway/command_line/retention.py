"""perdure gc: delete ended runs by age and state."""

import re
from typing import Any

import click

from gateway.command_line import door

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


class Age(click.ParamType):
    """An age like 30d, 12h or 90s, as seconds."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The seconds that the text stands for."""
        found = re.fullmatch(r"(\d{1,7})([smhdw])", str(value))
        if not found:
            self.fail(f"{value!r} is no age; write it like 30d, 12h or 90s.", param, ctx)
        return int(found[1]) * SECONDS[found[2]]


@click.command()
@click.option("--older-than", type=Age(), required=True, help="Since the run ended: 30d, 12h, 90s.")
@click.option(
    "--state",
    "states",
    multiple=True,
    required=True,
    type=click.Choice(["succeeded", "failed", "cancelled"]),
    help="Only runs that ended so (may be given several times).",
)
@click.option("--dry-run", is_flag=True, help="Only say how many it would be.")
@door.options
def gc(older_than: int, states: tuple[str, ...], dry_run: bool, url: str | None, key: str | None) -> None:
    """Delete ended runs with their steps and events; runs with an open dead letter are kept."""
    with door.client(url, key) as client:
        while True:
            done = client.gc(older_than, list(states), dry_run=dry_run)
            would = "would be" if dry_run else "were"
            click.echo(f"{done['runs']} runs, {done['steps']} steps, {done['events']} events {would} deleted")
            if dry_run or not done["more"] or not done["runs"]:
                break
    if done["kept"]:
        click.echo(f"{done['kept']} runs are kept: a dead letter of theirs is open.", err=True)
    if dry_run and done["more"]:
        click.echo("There are more of them.", err=True)
