"""Stalls of what everybody needs: the broker, Postgres, the model. Each is named, and over when it is back."""

import atexit
import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from services import database, settings
from services.journal import attempts, event_feed
from services.journal.runs import RunStatus, parse_id
from services.journal.why import Kind
from services.pipeline import embedded_servers
from tests import runs, scripted_model
from tests.durability import stalls
from tests.scripted_model import ScriptedModel
from tests.stack import Stack

pytestmark = pytest.mark.slow

PLAN = {"steps": [{"id": "s", "tool": "calculate", "arguments": {"expression": "2 + 3"}}]}
FULL_DISK = """
    create function no_room() returns trigger language plpgsql as $$ begin
      raise exception using errcode = 'disk_full', message =
        'could not extend file "base/5": No space left on device';
    end $$;
    create trigger no_room before insert on events for each row execute function no_room();
    create trigger no_room before insert on attempts for each row execute function no_room();
    create trigger no_room before insert or update on workers for each row execute function no_room();
"""


@contextlib.contextmanager
def by_hand() -> Iterator[psycopg.Connection]:
    """A connection of a person who can do everything, at any time."""
    url = embedded_servers.as_superuser(settings.current().database.replace("+psycopg", ""))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        yield connection


def cut_everybody_off(person: psycopg.Connection) -> None:
    """End all connections of workers and tests."""
    person.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'perdure'")
    database.engine().dispose()


def test_a_full_disk_is_named_and_the_result_that_it_refused_is_written_later(workers: Stack, ledger: Path) -> None:
    run_id = runs.start(runs.chain(2, seconds=1))
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "begin")["s0"] == 1)
    with by_hand() as person:
        person.execute(FULL_DISK)
        try:
            stalls.becomes(run_id, Kind.POSTGRES, "s0", "full disk", "No space left", "make room")
            finding = stalls.found("nothing keeps a process from its work")
        finally:
            person.execute("drop function no_room cascade")

    assert (finding.severity, finding.repairable) == ("error", False)
    assert "full disk" in finding.explanation
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert runs.ledger(ledger, run_id, "begin") == {"s0": 1, "s1": 1}
    assert {attempt.outcome for attempt in attempts.of_run(parse_id(run_id))} == {"succeeded"}


def test_a_postgres_that_takes_no_writes_is_named_and_results_wait_for_it(workers: Stack, ledger: Path) -> None:
    run_id = runs.start(runs.chain(2, seconds=1))
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "begin")["s0"] == 1)
    with by_hand() as person:
        name = person.info.dbname
        try:
            person.execute(f"alter database {name} set default_transaction_read_only = on")
            cut_everybody_off(person)
            stalls.becomes(run_id, Kind.POSTGRES, "takes no writes")
            finding = stalls.found("Postgres takes writes")
            runs.wait_until(lambda: runs.ledger(ledger, run_id, "end")["s0"] == 1)
            threading.Event().wait(10)  # longer than a lease: nobody could be heard
        finally:
            person.execute(f"alter database {name} reset default_transaction_read_only")
            database.engine().dispose()

    assert finding.severity == "error"
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert runs.ledger(ledger, run_id, "begin") == {"s0": 1, "s1": 1}


def test_used_up_connections_are_named_and_results_wait_for_one(workers: Stack, ledger: Path) -> None:
    run_id = runs.start(runs.chain(2, seconds=1))
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "begin")["s0"] == 1)
    url = settings.current().database.replace("+psycopg", "")
    greedy: list[psycopg.Connection] = []
    with by_hand() as person:
        try:
            cut_everybody_off(person)
            with contextlib.suppress(psycopg.OperationalError):
                while True:
                    greedy.append(psycopg.connect(url, autocommit=True))
            cut_everybody_off(person)
            with contextlib.suppress(psycopg.OperationalError):
                while True:
                    greedy.append(psycopg.connect(url, autocommit=True))
            stalls.becomes(run_id, Kind.POSTGRES, "no connection left", "max_connections")
            finding = stalls.found("Postgres answers")
            runs.wait_until(lambda: runs.ledger(ledger, run_id, "end")["s0"] == 1)
        finally:
            for connection in greedy:
                connection.close()

    assert "no connection left" in finding.explanation
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert runs.ledger(ledger, run_id, "begin") == {"s0": 1, "s1": 1}


def test_a_broker_that_answers_nothing_is_named_and_rung_again_when_it_does(workers: Stack) -> None:
    # its process stands still: it takes connections and answers nothing, as behind a broken router
    broker = int(event_feed.client().info("server")["process_id"])
    os.kill(broker, signal.SIGSTOP)
    try:
        run_id = runs.start(runs.chain(2, tool="noop"))
        stalls.becomes(run_id, Kind.BROKER_AWAY, "s0", "Redis does not answer", "REDIS_URL", "Nothing is lost")
        finding = stalls.found("the broker answers")
    finally:
        os.kill(broker, signal.SIGCONT)

    assert (finding.severity, finding.subject) == ("error", "redis")
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED


def test_a_model_that_is_down_is_named_with_its_address_and_asked_again(workers: Stack) -> None:
    with ScriptedModel() as free:
        port = free.port
    workers.kill("planning")
    workers.start("planning", OPENAI_BASE_URL=f"http://127.0.0.1:{port}/v1", OPENAI_API_KEY="x")
    workers.wait_for_workers(["planning"])
    run_id = runs.start(request="What is 2 + 3?")
    stalls.becomes(run_id, Kind.PHASE_RETRY, "plan phase failed", f"127.0.0.1:{port}", "OPENAI_BASE_URL")
    stalls.found("phases that failed are tried again")
    with ScriptedModel(otherwise=scripted_model.plan(PLAN), port=port):
        assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    workers.kill("planning")


def test_a_model_that_asks_for_patience_is_named_while_its_worker_waits(workers: Stack) -> None:
    with ScriptedModel([scripted_model.rate_limited(6)], otherwise=scripted_model.plan(PLAN)) as model:
        workers.kill("planning")
        workers.start("planning", OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="x")
        workers.wait_for_workers(["planning"])
        run_id = runs.start(request="What is 2 + 3?")
        stalls.becomes(run_id, Kind.MODEL_AWAY, "limits the rate")

        assert "limits the rate" in stalls.found("nothing keeps a process from its work").explanation
        assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    workers.kill("planning")


def test_a_broker_that_is_gone_is_named_and_an_empty_one_in_its_place_is_filled_again(workers: Stack) -> None:
    port = urlsplit(settings.current().redis).port
    event_feed.client().shutdown(nosave=True)
    run_id = runs.start(runs.chain(2, tool="noop"))
    try:
        stalls.becomes(run_id, Kind.BROKER_AWAY, "Redis does not answer")
    finally:
        server = embedded_servers.start_valkey(settings.current().home / "valkey-after-a-stall", port)
        atexit.register(server.stop)  # it serves the tests that follow too

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED


@pytest.fixture(autouse=True)
def _nobody_is_left_without_a_model(workers: Stack) -> Iterator[None]:
    yield
    workers.ensure("planning")
