"""The database's structure over time: Alembic versions for tables, and the journal's SQL functions, installed anew.

`upgrade()` is what `perdure migrate` and the release phase call; `alembic -c setup.cfg` works too.
"""

import random
import time
from argparse import Namespace
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError

from services.errors import Unavailable

LOCK_SECONDS = 3  # how long a migration waits for a table, and everybody else who wants it behind it
PATIENCE = 240.0  # seconds; a release phase may take longer, a dyno's boot not
CROWDED = ("55P03", "40P01")  # lock_timeout, deadlock


def config() -> Config:
    """Alembic's configuration, wherever the project is installed."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("path_separator", "os")
    return made


def upgrade(revision: str = "head", *, patience: float = PATIENCE) -> None:
    """Bring the database to `revision`. One process at a time does it; the others wait.

    The running release goes on meanwhile: a table that it holds is waited for briefly, since whoever asks for the same
    table waits behind us, and then all is tried again, for `patience` seconds in all. Raises Unavailable after that.
    """
    until = time.monotonic() + patience
    while True:
        try:
            command.upgrade(config(), revision)
            return
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in CROWDED:
                raise
            if time.monotonic() > until:
                raise Unavailable(
                    f"A table stayed locked for {patience:g} s: look for long transactions in pg_stat_activity, end "
                    "them and run `perdure migrate` again. Nothing was changed."
                ) from error
            time.sleep(random.uniform(0.5, 1.5))


def downgrade(revision: str) -> None:
    """Take the database back to `revision`; then the older release's `perdure migrate` installs its functions."""
    backwards = config()
    backwards.cmd_opts = Namespace(x=["functions=drop"])
    command.downgrade(backwards, revision)
