"""perdure audit: is the log of who changed what as it was written? Works on the database itself."""

import click


@click.group()
def audit() -> None:
    """Check the audit log (works on the database directly)."""


@audit.command()
@click.option("--tenant", help="Only this tenant's.")
@click.pass_context
def verify(context: click.Context, tenant: str | None) -> None:
    """Compute all hashes anew; names the first row of each tenant that was altered or is missing, and exits with 1."""
    from services.access import audit as log

    broken = False
    for name, rows, fault in log.verify(tenant):
        broken = broken or fault is not None
        click.echo(str(fault) if fault else f"Tenant {name}: {rows} rows, as they were written.")
    context.exit(1 if broken else 0)
