"""The database's structure over time: Alembic versions for tables, and the journal's SQL functions, installed anew.

`upgrade()` is what `perdure migrate` and the release phase call; `alembic -c setup.cfg` works too.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config


def config() -> Config:
    """Alembic's configuration, wherever the project is installed."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("path_separator", "os")
    return made


def upgrade(revision: str = "head") -> None:
    """Bring the database to `revision`. One process at a time does it; the others wait."""
    command.upgrade(config(), revision)
