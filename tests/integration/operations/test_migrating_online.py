"""Migrations: up and down and up again to the same tables; two at once; behind a lock, without being in the way."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic.script import ScriptDirectory

import migrations
from services import database
from services.errors import Unavailable
from services.pipeline import embedded_servers
from tests.environment import environment

SHAPE = """
    select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
    where table_schema = 'public' and table_name <> 'alembic_version'
    union all select tablename, indexname, indexdef, null, null from pg_indexes
    where schemaname = 'public' and tablename <> 'alembic_version'
    union all select conrelid::regclass::text, conname, pg_get_constraintdef(oid), null, null from pg_constraint
    where connamespace = 'public'::regnamespace and conrelid <> 0 order by 1, 2, 3
"""

LOWEST = "0012"  # below it, vectors of several models do not fit; a backup goes further back


@pytest.fixture
def fresh(servers: Any) -> Iterator[str]:
    """The address of an empty database, which the settings name meanwhile."""
    name = f"migrating_{time.time_ns()}"
    url = servers.database_url.replace("/perdure?", f"/{name}?")
    with psycopg.connect(embedded_servers.as_superuser(servers.database_url), autocommit=True) as connection:
        connection.execute(f"create database {name}")
        embedded_servers.hand_over(embedded_servers.as_superuser(url))
        kept, database._connections = database._connections, None
        try:
            with environment(DATABASE_URL=url):
                yield url
                database.dispose()
        finally:
            database._connections = kept
            connection.execute(f"drop database {name} with (force)")


def shape(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(SHAPE).fetchall()


def head() -> str:
    found = ScriptDirectory.from_config(migrations.config()).get_current_head()
    assert found
    return found


def test_up_down_and_up_again_comes_to_the_same(fresh: str) -> None:
    migrations.upgrade()
    first = shape(fresh)
    migrations.downgrade("-1")
    migrations.upgrade()
    after_one = shape(fresh)
    migrations.downgrade(LOWEST)
    low = shape(fresh)
    migrations.upgrade()

    assert len(first) > 100
    assert after_one == first
    assert len(low) < len(first)
    assert shape(fresh) == first


@pytest.mark.slow
def test_two_releases_at_once_do_it_once(fresh: str) -> None:
    command = [sys.executable, "-m", "gateway.command_line", "migrate"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate(timeout=60)[0] for one in both]

    assert [one.returncode for one in both] == [0, 0]
    assert all("Database connections" in words and "up to date" in words for words in said)
    with psycopg.connect(fresh) as connection:
        assert connection.execute("select version_num from alembic_version").fetchall() == [(head(),)]


def test_behind_a_lock_it_steps_aside_and_comes_back(fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "LOCK_SECONDS", 1)
    migrations.upgrade()
    holder = psycopg.connect(fresh)
    holder.execute("lock table alembic_version in access exclusive mode")
    release = threading.Timer(2.5, holder.close)
    release.start()
    began = time.monotonic()
    migrations.upgrade()

    assert 2 < time.monotonic() - began < 20
    holder = psycopg.connect(fresh)
    holder.execute("lock table alembic_version in access exclusive mode")
    with pytest.raises(Unavailable, match="Nothing was changed"):
        migrations.upgrade(patience=0)
    holder.close()
