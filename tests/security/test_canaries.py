"""A secret goes where its handle may, and is found nowhere else: no row, no event, no message, no log, no reply."""

from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import redis

from gateway.client import Client
from tests.security.conftest import Guarded

CANARY = "canary-5f0c1d7e9b"
TABLES = "select oid::regclass::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
HOLDS = "select 1 from {} held where held::text like %s limit 1"


@pytest.fixture(scope="module")
def run_id(guarded: Guarded) -> str:
    """A run that sent the secret in a header and in a body, and one step that failed over it."""
    to = guarded.receiver.url
    sent = {"url": to("ok/canary"), "method": "POST", "headers": {"X-Key": "{{secret:canary}}"},
            "data": {"key": "{{secret:canary}}"}}  # fmt: skip
    steps = [
        {"id": "sends", "tool": "http_request", "arguments": sent},
        {"id": "fails", "tool": "http_request", "required": False, "arguments": {**sent, "url": "http://10.0.0.1/"}},
        {"id": "repeats", "tool": "echo", "arguments": {"value": "${sends}"}},
    ]
    with Client(guarded.stack.url) as client:
        client.set_secret("canary", CANARY, ["127.0.0.1"])
        started = str(client.start(plan={"steps": steps})["workflowId"])
        list(client.events(started))
    return started


def test_it_reached_the_one_host_it_is_for(guarded: Guarded, run_id: str) -> None:
    assert CANARY in str(guarded.receiver.requests("canary"))


def test_no_row_of_any_table_holds_it(guarded: Guarded, run_id: str) -> None:
    with psycopg.connect(guarded.database_url) as connection:
        connection.execute("select set_config('perdure.tenant', '*', false)")
        tables = [name for (name,) in connection.execute(TABLES).fetchall()]
        leaks = [name for name in tables if connection.execute(f"{HOLDS.format(name)}", [f"%{CANARY}%"]).fetchone()]  # type: ignore[arg-type]

    assert len(tables) > 20
    assert leaks == []


def test_no_key_of_redis_holds_it(guarded: Guarded, run_id: str) -> None:
    server = redis.Redis.from_url(guarded.redis_url)
    kept = [server.dump(key) or b"" for key in server.scan_iter()]

    assert not any(CANARY.encode() in value for value in kept)


def test_no_log_and_no_file_holds_it(guarded: Guarded, run_id: str) -> None:
    logs: list[Path] = list(guarded.home.glob("*.log"))

    assert len(logs) >= 5
    assert not [log.name for log in logs if CANARY in log.read_text()]


def test_nothing_that_a_client_can_read_holds_it(guarded: Guarded, run_id: str) -> None:
    with Client(guarded.stack.url) as client:
        told = [client.get(run_id), list(client.events(run_id)), client.why(run_id), client.secrets()]

    assert UUID(run_id)
    assert CANARY not in str(told)
