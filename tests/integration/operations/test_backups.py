"""A backup is the whole truth in one file; restored, nobody owns anything and what nobody knows is in doubt."""

import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from gateway.command_line import perdure
from services import backups, database, settings, tenants
from services.errors import BadInput, Conflict
from services.journal import steps, workers
from services.pipeline import embedded_servers
from services.secrets import vault
from tests import runs
from tests.environment import environment
from tests.integration.journal.conftest import hand, tools  # noqa: F401 (fixtures)

TABLES = "select tablename from pg_tables where schemaname = 'public' and tablename <> 'workers' order by 1"


@contextmanager
def elsewhere(**variables: str | None) -> Iterator[None]:
    """Other settings, with connections of their own."""
    kept, database._connections = database._connections, None
    try:
        with environment(**variables):
            yield
            if database._connections is not None:
                database.dispose()
    finally:
        database._connections = kept


@pytest.fixture
def empty(servers: Any) -> Iterator[str]:
    name = f"restored_{time.time_ns()}"
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
        url = servers.database_url.replace("/perdure?", f"/{name}?")
        yield embedded_servers.hand_over(embedded_servers.as_superuser(url))
        connection.execute(f"drop database {name} with (force)")


def counts() -> dict[str, int]:
    with database.session() as session:
        names = session.scalars(text(TABLES)).all()
        return {name: session.execute(text(f"select count(*) from {name}")).scalar_one() for name in names}


def test_the_restore_drill_brings_everything_back(hand: Any, empty: str, tmp_path: Path) -> None:  # noqa: F811
    run = hand(("a",), ("b", "pay"), ("c",), ("d", "say", "a b c"))
    run.succeed("a", output={"text": "kept"})
    run.claim("b")  # runs while the backup is made, and cannot be repeated
    run.claim("c")
    vault.put("default", "api", "a value to keep", ["*.example.com"])
    made = CliRunner().invoke(perdure, ["backup", str(tmp_path / "one.backup")])
    before = counts()

    assert made.exit_code == 0, made.output
    assert (tmp_path / "one.backup").stat().st_mode & 0o077 == 0
    with elsewhere(DATABASE_URL=empty):
        restored = CliRunner().invoke(perdure, ["restore", str(tmp_path / "one.backup")])
        assert restored.exit_code == 0, f"{restored.output} {restored.exception}"
        after = counts()
        found = {step.id: step for step in steps.of_run(run.run().id)}
        assert {name: (count, after[name]) for name, count in before.items() if after[name] < count} == {}
        assert [found[name].status for name in "abcd"] == ["succeeded", "in_doubt", "ready", "pending"]
        assert found["a"].output == {"text": "kept"}
        assert found["c"].failures == 0  # to be backed up is no failure
        assert vault.reveal("default", "api") == "a value to keep"
        assert workers.alive() == []


def test_restored_runs_may_be_looked_at_before_they_go_on(hand: Any, empty: str, tmp_path: Path) -> None:  # noqa: F811
    run = hand(("a",))
    backups.make(tmp_path / "one.backup")
    with elsewhere(DATABASE_URL=empty):
        backups.restore(tmp_path / "one.backup", paused=True)
        assert run.run().paused_at is not None
        assert run.statuses() == {"a": "pending"}


def test_a_database_with_something_in_it_is_left_alone(hand: Any, tmp_path: Path) -> None:  # noqa: F811
    backups.make(tmp_path / "one.backup")
    with pytest.raises(Conflict, match="stop them all first"):
        backups.restore(tmp_path / "one.backup")  # the worker of the fixture lives
    workers.release(runs.WORKER, "handed_back")
    with environment(PERDURE_EMBEDDED=None), pytest.raises(Conflict, match="is not empty"):
        backups.restore(tmp_path / "one.backup")
    with pytest.raises(Conflict, match="is there already"):
        backups.make(tmp_path / "one.backup")


def test_what_is_no_backup_or_a_damaged_one_is_refused(hand: Any, empty: str, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "text").write_text("hello")
    backups.make(tmp_path / "whole")
    with tarfile.open(tmp_path / "whole") as archive:
        archive.extractall(tmp_path / "parts", filter="data")
    dump = tmp_path / "parts" / backups.DUMP
    dump.write_bytes(dump.read_bytes()[:-10] + b"x" * 10)
    with tarfile.open(tmp_path / "damaged", "w") as archive:
        for part in (tmp_path / "parts").iterdir():
            archive.add(part, part.name)
    with elsewhere(DATABASE_URL=empty):
        with pytest.raises(BadInput, match="no backup"):
            backups.restore(tmp_path / "text")
        with pytest.raises(BadInput, match="damaged"):
            backups.restore(tmp_path / "damaged")


@pytest.mark.slow
def test_embedded_servers_are_restored_in_place_and_keep_what_they_had(
    hand: Any,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = hand(("a",))
    backups.make(tmp_path / "one.backup")
    home = tmp_path / "home"
    monkeypatch.setattr(embedded_servers, "POSTGRES_SETTINGS", {"shared_buffers": "32MB", "max_connections": "30"})
    with elsewhere(PERDURE_HOME=str(home), DATABASE_URL=None, PERDURE_EMBEDDED=None):
        first = CliRunner().invoke(perdure, ["restore", str(tmp_path / "one.backup")])
        database._connections = None  # the server has stopped since, and the next command is another process
        settings.current.cache_clear()
        again = CliRunner().invoke(perdure, ["restore", str(tmp_path / "one.backup")])

    assert (first.exit_code, again.exit_code) == (0, 0), f"{first.exception} {again.exception}"
    database._connections = None
    with elsewhere(PERDURE_HOME=str(home), DATABASE_URL=None, PERDURE_EMBEDDED=None):
        server = embedded_servers.start_postgres(home / "postgres")
        try:
            with psycopg.connect(server.url, options=tenants.FOR_EVERY) as connection:
                kept = connection.execute("select datname from pg_database where datname like 'perdure_before_%'")
                assert kept.fetchone()
                assert connection.execute("select count(*) from runs where id = %s", [run.id]).fetchone() == (1,)
        finally:
            server.stop()
