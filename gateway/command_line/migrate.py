"""perdure migrate: bring the database to what this version expects."""

import click
from sqlalchemy.exc import OperationalError

from services.errors import Unavailable


@click.command()
def migrate() -> None:
    """Create or update the tables and functions in the database. Safe to repeat, and to run twice at once."""
    import migrations

    try:
        migrations.upgrade()
    except OperationalError as error:
        raise Unavailable("Postgres does not answer; check DATABASE_URL and that the server runs.") from error
    click.echo("The database is up to date.")
