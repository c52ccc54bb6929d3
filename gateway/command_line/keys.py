"""perdure keys: who may call. Works on the database itself, so it needs no running gateway and no key."""

from datetime import timedelta

import click

from services import clock


@click.group()
def keys() -> None:
    """Create, list, rotate and revoke API keys (works on the database directly)."""


@keys.command()
@click.option("--name", default="unnamed", show_default=True, help="What it is for.")
@click.option("--tenant", default="default", show_default=True, help="Whose data it opens.")
@click.option("--days", type=click.IntRange(1), help="Expires after so many days [default: never].")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["read", "run", "approve", "admin", "operate"]),
    help="What it may do; give it several times for several  [default: run].",
)
@click.option("--operator", is_flag=True, help="The same as --scope operate: what holds for all tenants, too.")
@click.option("--per-minute", type=click.IntRange(1), help="How many requests it may make in a minute.")
@click.option("--per-day", type=click.IntRange(1), help="How many requests it may make in a day (UTC).")
def create(scopes: tuple[str, ...], operator: bool, days: int | None, **more: object) -> None:
    """Make a key and print it; it can't be shown again."""
    from services.access import api_keys

    _, secret = api_keys.create(
        str(more["tenant"]),
        str(more["name"]),
        scopes=(*scopes, *(("operate",) if operator else ())) or ("run",),
        expires_at=clock.now() + timedelta(days=days) if days else None,
        limits=api_keys.Limits(more["per_minute"], more["per_day"]),  # type: ignore[arg-type]  # click made them int
    )
    _print(secret)


@keys.command("list")
@click.option("--tenant", help="Only this tenant's.")
def listed(tenant: str | None) -> None:
    """List keys: visible part, tenant, name, scopes, state, last use."""
    from services.access import api_keys

    for key in api_keys.listed(tenant):
        used = clock.to_wire(key.last_used_at) or "never used"
        click.echo(f"{key.prefix}…  {key.tenant}  {key.name}  {','.join(key.scopes)}  {key.state}  {used}")


@keys.command()
@click.argument("prefix")
@click.option("--grace-hours", type=click.FloatRange(0, 720), default=24, show_default=True, help="The old key's rest.")
def rotate(prefix: str, grace_hours: float) -> None:
    """Make a new key like the one whose visible part is PREFIX and print it; the old one still works for a while."""
    from services.access import api_keys

    old = api_keys.of_prefix(prefix.rstrip("…"))
    _, secret = api_keys.rotate(old, grace=timedelta(hours=grace_hours))
    _print(secret)


@keys.command()
@click.argument("prefix")
def revoke(prefix: str) -> None:
    """Revoke the key whose visible part is PREFIX; it stops working within a second."""
    from services.access import api_keys

    click.echo(f"Revoked {api_keys.revoke(api_keys.of_prefix(prefix.rstrip('…'))).prefix}…")


def _print(secret: str) -> None:
    click.echo(secret)
    click.echo("Keep it safe: it can't be shown again.", err=True)
