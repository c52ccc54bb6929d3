"""A day on dynos in two minutes: every process replaced again and again under load, behind a router that cuts.

`make rehearsal` runs it and prints its report. Postgres has 20 connections and a role that is no superuser, Redis a
certificate that nobody signed.
"""

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from gateway.client import Client
from services import database, settings
from services.errors import PerdureError
from services.pipeline import embedded_servers
from tests import dynos, history_checker, runs, tls_server
from tests.dynos import Formation
from tests.environment import environment
from tests.heroku_router import Router

ROUNDS = int(os.environ.get("PERDURE_REHEARSAL_ROUNDS", "2"))
CONNECTIONS = 20
PATIENCE = 90.0
PLANS = [
    {"steps": [{"id": f"s{n}", "tool": "unsafe_effect", "arguments": {"seconds": 0.4}} for n in range(3)]},
    runs.chain(4, "keyed_effect", seconds=0.3),
    runs.fan(5, "slow_effect", seconds=0.3),
    {"steps": [{"id": "w", "tool": "waits", "arguments": {"seconds": 7}}]},  # silent for longer than the router likes
]


class Visitors:
    """People who start runs and follow each to its end, over the router. Nothing that they see may be missing."""

    def __init__(self, url: str, key: str) -> None:
        self.seen: dict[str, list[int]] = {}
        self.ended: dict[str, str] = {}
        self.troubles: Counter[str] = Counter()
        self._url, self._key = url, key
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def come(self, seconds: float = 0.7) -> None:
        """Start a run every so often, from now on."""
        self._spawn(self._start_runs, seconds)

    def go(self) -> None:
        """No more runs; those that there are are followed to their end."""
        self._over.set()
        until = time.monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))

    def _spawn(self, work: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _start_runs(self, seconds: float) -> None:
        number = 0
        while not self._over.wait(seconds):
            number += 1
            self._spawn(self._visit, PLANS[number % len(PLANS)] if number % 5 else None)

    def _visit(self, plan: dict[str, Any] | None) -> None:
        with Client(self._url, self._key) as client:
            try:
                run_id = client.start(None if plan else "What is 17% of 2340?", plan=plan)["workflowId"]
            except PerdureError as error:
                self.troubles[f"not accepted: {error.detail[:80]}"] += 1
                return
            self.seen[run_id] = []
            try:
                for event in client.events(run_id):
                    self.seen[run_id].append(event["seq"])
                    self.ended[run_id] = event["name"]
            except PerdureError as error:
                self.troubles[f"lost sight of: {error.detail[:80]}"] += 1


class Watch:
    """The most connections that Postgres had at once."""

    def __init__(self, url: str) -> None:
        self.most = 0
        self.refused = 0
        self._url = url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        query = (
            "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )
        connection: psycopg.Connection | None = None
        while not self._over.wait(0.2):
            try:
                connection = connection or psycopg.connect(self._url, autocommit=True)
                found = connection.execute(query).fetchone()
                self.most = max(self.most, found[0] if found else 0)
            except psycopg.OperationalError:
                self.refused, connection = self.refused + 1, None
        if connection:
            connection.close()


class Place:
    """Where the dynos run: what the environment says, the superuser's address for looking on, the ledger."""

    def __init__(self, given: dict[str, str], superuser_url: str, ledger: Path) -> None:
        self.environment, self.superuser_url, self.ledger = given, superuser_url, ledger


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    limits = {"max_connections": str(CONNECTIONS + 1), "superuser_reserved_connections": "1"}
    monkeypatch.setattr(
        embedded_servers,
        "POSTGRES_SETTINGS",
        {**embedded_servers.POSTGRES_SETTINGS, **limits, "shared_buffers": "64MB"},
    )
    with ExitStack() as at_the_end, environment(DYNO=None, DATABASE_URL=None, REDIS_URL=None):
        postgres = embedded_servers.start_postgres(tmp_path / "postgres")
        at_the_end.callback(postgres.stop)
        valkey = embedded_servers.start_valkey(tmp_path / "valkey")
        at_the_end.callback(valkey.stop)
        certificate = tls_server.certificate(tmp_path)
        redis_port = at_the_end.enter_context(tls_server.before(valkey.port, certificate))
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute("create extension if not exists vector")
            connection.execute("create role dyno login")
            connection.execute("grant create on schema public to dyno")
            connection.execute("alter database perdure owner to dyno")
        user = urlsplit(postgres.url).username or "postgres"
        ledger = tmp_path / "ledger.txt"
        yield Place(
            {
                "DATABASE_URL": postgres.url.replace("postgresql://", "postgres://").replace(f"//{user}", "//dyno"),
                "REDIS_URL": f"rediss://127.0.0.1:{redis_port}/0",
                "SECRET_KEY": "a secret of this rehearsal",
                "API_KEY_PEPPER": "a pepper of this rehearsal",
                "WEB_CONCURRENCY": "1",
                "DB_POOL_SIZE": "3",
                "DB_MAX_CONNECTIONS": str(CONNECTIONS),
                "EXECUTION_CONCURRENCY": "50",
                "PERDURE_DRAIN_SECONDS": "3",
                "PERDURE_TOOLS": "tests.side_effect_tools",
                "SIDE_EFFECT_LEDGER": str(ledger),
            },
            postgres.url,
            ledger,
        )


def make_key(formation: Formation) -> str:
    command = [sys.executable, "-m", "gateway.command_line", "keys", "create", "--name", "visitors"]
    made = subprocess.run(command, cwd=dynos.ROOT, env=formation._environment("run"), capture_output=True, check=True)
    return made.stdout.decode().strip()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_day_on_dynos(place: Place, tmp_path: Path) -> None:
    router = Router()
    formation = Formation(place.environment, tmp_path, router)
    budget = formation.release().splitlines()[0]
    key = make_key(formation)
    for kind in dynos.KINDS:
        formation.start(kind)
    wait_until_ready(router.url, formation)
    watch = Watch(place.superuser_url)
    visitors = Visitors(router.url, key)
    visitors.come()
    for kind in dynos.KINDS * ROUNDS:
        time.sleep(3)
        formation.replace(kind)
    time.sleep(5)
    visitors.go()
    watch.stop()
    formation.stop()
    router.close()
    faults = judged(place, list(visitors.seen))
    report(budget, formation, visitors, watch, faults)

    assert faults == []
    assert visitors.troubles == Counter()
    assert set(visitors.ended.values()) == {"run.succeeded"}
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in visitors.seen.values())
    assert len(visitors.seen) >= 10 * ROUNDS
    assert not [end for end in formation.ends if not end.endswith("exit code 0")]
    assert 0 < watch.most <= CONNECTIONS


def judged(place: Place, run_ids: list[str]) -> list[str]:
    """What breaks an invariant, by the journal and the ledger of effects."""
    kept, database._connections = database._connections, None
    try:
        with environment(DATABASE_URL=place.superuser_url, REDIS_URL=place.environment["REDIS_URL"]):
            found = history_checker.faults(run_ids, place.ledger)
            database.dispose()
            return found
    finally:
        database._connections = kept
        settings.current.cache_clear()


def wait_until_ready(url: str, formation: Formation) -> None:
    with Client(url, timeout=5) as client:
        until = time.monotonic() + 90
        while missing := _missing(client):
            assert time.monotonic() < until, f"{missing}\n{(formation.logs / 'web.log').read_text()[-3000:]}"
            time.sleep(0.5)


def _missing(client: Client) -> list[str]:
    try:
        return client.missing()
    except PerdureError as error:
        return [error.detail]


def report(budget: str, formation: Formation, visitors: Visitors, watch: Watch, faults: list[str]) -> None:
    gapless = sum(seqs == list(range(1, len(seqs) + 1)) for seqs in visitors.seen.values())
    lines = [
        "Dyno rehearsal",
        f"  {budget}",
        f"  runs: {len(visitors.seen)} started, {Counter(visitors.ended.values())}",
        f"  streams without a gap: {gapless} of {len(visitors.seen)}",
        f"  dynos replaced: {sum(formation.ends.values())} ({', '.join(sorted(formation.ends))})",
        f"  slowest end of a dyno: {formation.slowest:.1f} s of {dynos.DEATH_SECONDS:g}",
        f"  connections to Postgres: {watch.most} of {CONNECTIONS} at most",
        f"  cut by the router: {dict(formation.router.cut)}",
        f"  visitors' troubles: {dict(visitors.troubles)}",
        f"  broken invariants: {faults or 'none'}",
    ]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
