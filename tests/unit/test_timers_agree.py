"""Every timer under those of the place where we run: a router that cuts what is silent, a dyno that is killed."""

import runpy
from pathlib import Path
from typing import Any

import migrations
from gateway import run_events
from gateway.stack import children
from gateway.streams import following, hub, sse, websocket
from services import database
from services.pipeline import celery_app, sweeper
from services.settings import Settings
from tests.environment import environment

# Heroku's, of November 2026: the first byte of an answer; silence on an open connection; from SIGTERM to SIGKILL
FIRST_BYTE, SILENCE, DEATH = 30, 55, 30

SETTINGS = {name: field.default for name, field in Settings.model_fields.items()}


def gunicorn() -> dict[str, Any]:
    return runpy.run_path(str(Path(run_events.__file__).parent / "gunicorn.conf.py"))


def test_no_stream_is_silent_for_as_long_as_the_router_allows() -> None:
    for ping in (websocket.PING_SECONDS, sse.PING_SECONDS):
        assert ping + following.TICK_SECONDS < SILENCE - 10  # a ping is due at the tick after its time


def test_every_answer_begins_before_the_router_gives_up() -> None:
    assert run_events.LONGEST_WAIT < FIRST_BYTE
    assert run_events.LONGEST_WAIT + hub.CONFIRM_SECONDS + 2 < FIRST_BYTE  # with a Redis that does not answer
    with environment(DATABASE_URL="postgresql://127.0.0.1:1/nobody"):
        assert database._create().pool._timeout < FIRST_BYTE  # type: ignore[attr-defined]
    assert migrations.LOCK_SECONDS < FIRST_BYTE  # whoever wants a table that a migration waits for


def test_the_server_keeps_idle_connections_for_longer_than_the_router() -> None:
    assert gunicorn()["keepalive"] > SILENCE


def test_every_process_is_gone_before_it_is_killed() -> None:
    drain = Settings.model_fields["drain_seconds"]
    most = next(rule.le for rule in drain.metadata if hasattr(rule, "le"))

    assert SETTINGS["drain_seconds"] < most < DEATH
    assert gunicorn()["graceful_timeout"] < DEATH
    assert max(websocket.STUCK_SECONDS, sse.STUCK_SECONDS) < gunicorn()["graceful_timeout"]
    assert most <= children.STOP_SECONDS < DEATH


def test_a_dead_process_is_noticed_before_its_successor_is_killed_in_turn() -> None:
    assert SETTINGS["lease_seconds"] >= 3 * SETTINGS["heartbeat_seconds"]
    assert SETTINGS["lease_seconds"] + SETTINGS["sweep_seconds"] + SETTINGS["heartbeat_seconds"] < DEATH
    assert SETTINGS["lease_seconds"] > sweeper.MARK_SECONDS


def test_a_connection_that_hangs_is_given_up_before_a_lease_is() -> None:
    broker = celery_app._SETTINGS["broker_transport_options"]

    assert broker["socket_timeout"] < SETTINGS["lease_seconds"]
    assert celery_app._SETTINGS["redis_socket_timeout"] < SETTINGS["lease_seconds"]
    assert broker["visibility_timeout"] > SETTINGS["strand_seconds"]
