"""How Alembic runs here: one transaction, one migrating process at a time, then the SQL functions installed anew."""

from pathlib import Path

from alembic import context
from sqlalchemy import Connection, text

import services.access.api_keys
import services.journal.attempts
import services.journal.conversations
import services.journal.dead_letters
import services.journal.events
import services.journal.idempotency
import services.journal.plans
import services.journal.runs
import services.journal.steps
import services.journal.workers
import services.memory.memories
import services.tools.catalogue
from services import database

FUNCTIONS = Path(services.journal.runs.__file__).parent / "functions"
LOCK = 7_305_811  # any number, as long as every release uses the same


def install_functions(connection: Connection) -> None:
    """(Re)create the journal's functions, in the order of their file names."""
    for file in sorted(FUNCTIONS.glob("*.sql")):
        connection.exec_driver_sql(file.read_text().replace("%", "%%"))


def run() -> None:
    """Migrate the database that the settings name."""
    with database.engine().begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.configure(
            connection=connection, target_metadata=database.Base.metadata, compare_type=True, transactional_ddl=True
        )
        with context.begin_transaction():
            context.run_migrations()
        if context.get_x_argument(as_dictionary=True).get("functions") != "leave":
            install_functions(connection)


run()
