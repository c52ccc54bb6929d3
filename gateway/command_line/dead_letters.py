"""perdure dead-letters: what was given up; list, show, resume, restart, discard, one by one or all that fit."""

from typing import Any

import click
import orjson

from gateway.command_line import door
from gateway.command_line.run_view import harmless

ACTIONS = ("resume", "restart", "discard")


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at what was given up, and take care of it."""


@dead_letters.command("list")
@click.option("--reason", help="Only those given up for this reason.")
@click.option("--tool", help="Only steps of this tool.")
@click.option("--label", multiple=True, metavar="NAME:VALUE", help="Only of runs with this label (all of them).")
@click.option("--since", help="Only from this time on (RFC 3339 with zone).")
@click.option("--until", help="Only before this time.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 200), help="How many.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@door.options
def listed(as_json: bool, url: str | None, key: str | None, **asked: Any) -> None:
    """List open dead letters, newest first."""
    with door.client(url, key) as client:
        items = client.dead_letters(**asked)["items"]
    if as_json:
        click.echo(orjson.dumps(items, option=orjson.OPT_INDENT_2))
        return
    for letter in items:
        what = f"step {letter['stepId']} ({letter['tool']})" if letter["stepId"] else f"{letter['phase']} phase"
        detail = harmless((letter["error"] or {}).get("detail", ""))
        click.echo(f"{letter['id']}  {letter['at'][:19]}  {letter['reason']}  {what}: {detail}")
    if not items:
        click.echo("No dead letter fits.", err=True)


@dead_letters.command()
@click.argument("letter_id", metavar="LETTER")
@door.options
def show(letter_id: str, url: str | None, key: str | None) -> None:
    """Show LETTER with its run and every attempt that led to it, as JSON."""
    with door.client(url, key) as client:
        click.echo(orjson.dumps(client.dead_letter(letter_id), option=orjson.OPT_INDENT_2))


@dead_letters.command()
@click.argument("action", type=click.Choice(ACTIONS))
@click.argument("letter_ids", metavar="LETTER…", nargs=-1, required=True)
@door.options
def settle(action: str, letter_ids: tuple[str, ...], url: str | None, key: str | None) -> None:
    """Resume or restart the run of each LETTER (prints the run that goes on), or discard the letter."""
    with door.client(url, key) as client:
        for letter_id in letter_ids:
            click.echo(client.settle_letter(letter_id, action)["continuesAs"] or f"{letter_id} is discarded")


@dead_letters.command("settle-all")
@click.argument("action", type=click.Choice(ACTIONS))
@click.option("--reason", help="Only those given up for this reason.")
@click.option("--tool", help="Only steps of this tool.")
@click.option("--label", multiple=True, metavar="NAME:VALUE", help="Only of runs with this label (all of them).")
@click.option("--since", help="Only from this time on (RFC 3339 with zone).")
@click.option("--until", help="Only before this time.")
@click.option("--dry-run", is_flag=True, help="Only say which it would be.")
@door.options
def settle_all(action: str, dry_run: bool, url: str | None, key: str | None, **asked: Any) -> None:
    """Do that to all open letters that fit."""
    labels = dict(_label(label) for label in asked.pop("label"))
    wanted = {name: value for name, value in {**asked, "labels": labels}.items() if value}
    with door.client(url, key) as client:
        done = client.settle_letters(action, wanted, dry_run=dry_run)
    for each in done["items"]:
        outcome = each["refused"] or ("" if dry_run else each["continuesAs"] or "discarded")
        click.echo(f"{each['id']}  {each['workflowId']}  {outcome}".rstrip())
    click.echo(f"{done['count']} {'would be' if dry_run else 'were'} taken care of.", err=True)


def _label(label: str) -> tuple[str, str]:
    name, separator, value = label.partition(":")
    if not name or not separator:
        raise click.UsageError(f"--label {label!r} must be NAME:VALUE, like team:red.")
    return name, value
