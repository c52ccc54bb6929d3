"""How Alembic runs here: one transaction, one migrating process at a time, then the SQL functions installed anew."""

import re
from pathlib import Path

from alembic import context
from sqlalchemy import Connection, text

import migrations
import services.access.api_keys
import services.access.audit
import services.access.people
import services.access.sign_ins
import services.access.tickets
import services.agents.agents
import services.approvals.approvals
import services.approvals.policies
import services.delivery.attempts
import services.delivery.deduplications
import services.delivery.messages
import services.delivery.ordered_queues
import services.delivery.subscriptions
import services.delivery.triggers
import services.delivery.url_groups
import services.flow.keys
import services.journal.attempts
import services.journal.blobs
import services.journal.conversations
import services.journal.dead_letters
import services.journal.delegations
import services.journal.events
import services.journal.idempotency
import services.journal.plans
import services.journal.queues
import services.journal.runs
import services.journal.signals
import services.journal.steps
import services.journal.submissions
import services.journal.workers
import services.memory.memories
import services.memory.short_term
import services.memory.vectors
import services.replay.recorded_calls
import services.replay.replays
import services.schedules.schedules
import services.secrets.vault
import services.spending.budgets
import services.spending.usage
import services.tools.catalogue
import services.tools.http_tools
import services.tools.mcp_servers
from services import database

FUNCTIONS = Path(services.journal.runs.__file__).parent / "functions"
LOCK = 7_305_811  # any number, as long as every release uses the same


def install_functions(connection: Connection) -> None:
    """Create the journal's functions and triggers anew, in the order of the files' names; old ones are dropped."""
    sources = [file.read_text() for file in sorted(FUNCTIONS.glob("*.sql"))]
    drop_functions(connection, sources)
    for source in sources:
        connection.exec_driver_sql(source.replace("%", "%%"))


def drop_functions(connection: Connection, sources: list[str]) -> None:
    """Take away what these sources create, whatever its arguments are at present."""
    names = re.findall(r"create or replace function (\w+)", "\n".join(sources))
    ours = "proname = any(:names) and pronamespace = 'public'::regnamespace"
    calling = f"from pg_trigger t join pg_proc p on p.oid = tgfoid where not tgisinternal and {ours}"
    triggers = connection.execute(text(f"select tgname, tgrelid::regclass::text {calling}"), {"names": names}).all()
    for name, table in triggers:
        connection.exec_driver_sql(f"drop trigger {name} on {table}")
    old = connection.execute(text(f"select oid::regprocedure::text from pg_proc where {ours}"), {"names": names})
    for signature in old.scalars().all():
        connection.exec_driver_sql(f"drop function {signature}")


def run() -> None:
    """Migrate the database that the settings name."""
    with database.engine().begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        connection.execute(text(f"set local lock_timeout = '{migrations.LOCK_SECONDS}s'"))
        context.configure(
            connection=connection, target_metadata=database.Base.metadata, compare_type=True, transactional_ddl=True
        )
        functions = context.get_x_argument(as_dictionary=True).get("functions")
        if functions == "drop":  # on the way down: they name tables, and tables' rows, that are about to go
            drop_functions(connection, [file.read_text() for file in FUNCTIONS.glob("*.sql")])
        with context.begin_transaction():
            context.run_migrations()
        if functions is None:
            install_functions(connection)


run()
