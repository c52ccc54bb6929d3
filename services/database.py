"""Connections to Postgres: one engine per process, sessions for everyday work, `call` for the hot path."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from psycopg.types.json import Jsonb, set_json_dumps, set_json_loads
from sqlalchemy import Engine, MetaData, create_engine
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.operators import OperatorClass

from services import logs, settings
from services.errors import Unavailable
from services.prepared_calls import CONNECTION_ERRORS, Calls

set_json_dumps(orjson.dumps)
set_json_loads(orjson.loads)


log = logs.get(__name__)


class Base(DeclarativeBase):
    """The base of every table class; its metadata is what migrations are checked against."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class State(DOMAIN):
    """A column's domain, made by a migration: its values are checked, at no cost to updates of other columns."""

    operator_classes = OperatorClass.ANY


@dataclass(frozen=True)
class _Connections:
    """What one process has: sockets can't be shared with a forked child."""

    pid: int
    engine: Engine
    calls: Calls


_connections: _Connections | None = None
_connecting = threading.Lock()


def engine() -> Engine:
    """This process's engine, for sessions."""
    return _own().engine


def _calls() -> Calls:
    return _own().calls


def _own() -> _Connections:
    global _connections
    if _connections is not None and _connections.pid == os.getpid():
        return _connections
    with _connecting:
        if _connections is None or _connections.pid != os.getpid():
            current = settings.current()
            url = current.database.replace("postgresql+psycopg://", "postgresql://", 1)
            _connections = _Connections(os.getpid(), _create(), Calls(url, current.call_connections))
    return _connections


def _create() -> Engine:
    current = settings.current()
    return create_engine(
        current.database,
        poolclass=QueuePool,
        pool_size=current.database_pool - current.call_connections,
        max_overflow=0,
        pool_timeout=30,
        pool_recycle=1800,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={"connect_timeout": 5, "application_name": "perdure"},
    )


@contextmanager
def session() -> Iterator[Session]:
    """A transaction: committed at the end of the block, rolled back on an exception.

    Raises Unavailable when Postgres does not answer.
    """
    try:
        with Session(engine(), expire_on_commit=False) as active, active.begin():
            yield active
    except OperationalError as error:
        raise Unavailable("Postgres does not answer; check DATABASE_URL and that the server runs.") from error


def json(value: Any) -> Jsonb:
    """`value` as a JSON argument of `call`."""
    return Jsonb(value)


def call(function: str, *arguments: Any) -> Any:
    """Call one of the journal's SQL functions as one round trip and one commit; returns its JSON value.

    A connection that turns out dead (server restarted) is replaced and the call repeated once: every such function is
    a compare-and-set, so calling it twice is safe. Raises Unavailable when Postgres does not answer.
    """
    try:
        return _calls().call(function, arguments)
    except CONNECTION_ERRORS as error:
        dispose()
        try:
            return _calls().call(function, arguments)
        except CONNECTION_ERRORS:
            raise Unavailable("Postgres does not answer; check DATABASE_URL and that the server runs.") from error


def insist(function: str, *arguments: Any, again: str) -> Any:
    """As `call`, for a worker whose claim or result is at stake: goes on until Postgres answers.

    again: the function to call, with the same arguments, after a connection broke: the first call may have been
    committed, only its reply lost (journal/functions/9_lost_replies.sql).
    """
    try:
        return _calls().call(function, arguments)
    except CONNECTION_ERRORS as error:
        log.warning("Postgres went away in the middle of a call", function=function, error=str(error))
    pause = 0.02
    while True:
        dispose()
        try:
            return _calls().call(again, arguments)
        except CONNECTION_ERRORS as error:
            log.warning("Postgres does not answer; trying on", function=again, error=str(error))
            time.sleep(pause)
            pause = min(pause * 2, 1)


def dispose() -> None:
    """Close this process's idle connections; they may be dead."""
    engine().dispose()
    _calls().dispose()
