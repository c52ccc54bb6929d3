"""perdure keys: who may call. Works on the database itself, so it needs no running gateway and no key."""

from datetime import datetime, timedelta

import click

from services import clock


@click.group()
def keys() -> None:
    """Create, list and revoke API keys (works on the database directly)."""


@keys.command()
@click.option("--name", default="unnamed", show_default=True, help="What it is for.")
@click.option("--tenant", default="default", show_default=True, help="Whose data it opens.")
@click.option("--days", type=click.IntRange(1), help="Expires after so many days [default: never].")
@click.option("--operator", is_flag=True, help="May also change what holds for all tenants (flow limits of tools).")
def create(name: str, tenant: str, days: int | None, operator: bool) -> None:
    """Make a key and print it; it can't be shown again."""
    from services.access import api_keys

    expires_at = clock.now() + timedelta(days=days) if days else None
    scopes = ("run", api_keys.OPERATE) if operator else ("run",)
    _, secret = api_keys.create(tenant, name, scopes=scopes, expires_at=expires_at)
    click.echo(secret)
    click.echo("Keep it safe: it can't be shown again.", err=True)


@keys.command("list")
@click.option("--tenant", help="Only this tenant's.")
def listed(tenant: str | None) -> None:
    """List keys: visible part, tenant, name, state, last use."""
    from services.access import api_keys

    for key in api_keys.listed(tenant):
        state = "revoked" if key.revoked_at else "expired" if _expired(key.expires_at) else "live"
        used = clock.to_wire(key.last_used_at) or "never used"
        click.echo(f"{key.prefix}…  {key.tenant}  {key.name}  {state}  {used}")


@keys.command()
@click.argument("prefix")
def revoke(prefix: str) -> None:
    """Revoke the key whose visible part is PREFIX; it stops working within a second."""
    from services.access import api_keys

    click.echo(f"Revoked {api_keys.revoke(prefix.rstrip('…')).prefix}…")


def _expired(at: datetime | None) -> bool:
    return at is not None and at <= clock.now()
