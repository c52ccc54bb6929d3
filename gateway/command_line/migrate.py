"""perdure migrate: bring the database to what this version expects."""

import click
from sqlalchemy.exc import OperationalError

from services.errors import Unavailable


@click.command()
@click.option("--patience", default=240.0, help="Seconds to wait for tables that others hold.", show_default=True)
def migrate(patience: float) -> None:
    """Create or update the tables and functions in the database. Safe to repeat, and to run twice at once.

    The release phase of a deploy: the running release goes on meanwhile. Refuses a deployment that would want more
    connections than DB_MAX_CONNECTIONS.
    """
    import migrations
    from services import connection_budget, settings
    from services.access import people

    counted = connection_budget.check()
    try:
        migrations.upgrade(patience=patience)
        told = people.first_admin() if settings.current().auth_required else None
    except OperationalError as error:
        raise Unavailable("Postgres does not answer; check DATABASE_URL and that the server runs.") from error
    click.echo(f"{counted}\nThe database is up to date.")
    if told:
        click.echo(f"POST /api/session signs {people.FIRST!r} in with the password {told} (told this once).")
