"""Connections to Postgres: one engine per process, sessions for everyday work, `call` for the hot path."""

import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from psycopg import errors, pq
from psycopg.types.json import Jsonb, set_json_dumps, set_json_loads
from sqlalchemy import Engine, MetaData, create_engine, make_url
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.operators import OperatorClass

from services import logs, settings, tenants, troubles
from services.errors import Unavailable
from services.prepared_calls import Calls

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
            calls = Calls(url, current.call_connections, _options(url))
            _connections = _Connections(os.getpid(), _create(), calls)
    return _connections


def _create() -> Engine:
    current = settings.current()
    return create_engine(
        current.database,
        poolclass=QueuePool,
        pool_size=current.database_pool - current.call_connections,
        max_overflow=0,
        pool_timeout=20,  # less than a router waits for the first byte
        pool_recycle=1800,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={"connect_timeout": 5, "application_name": "perdure", "options": _options(current.database)},
    )


def _options(url: str) -> str:
    """What every connection starts with, after what the URL asks for: it is for every tenant until told otherwise."""
    asked = make_url(url).query.get("options", "")
    return f"{asked if isinstance(asked, str) else ' '.join(asked)} {tenants.FOR_EVERY}".strip()


@contextmanager
def session() -> Iterator[Session]:
    """A transaction: committed at the end of the block, rolled back on an exception.

    Its rows are those of the present tenant (`tenants`). Raises Unavailable when Postgres does not answer, or does not
    take what is written.
    """
    try:
        with Session(engine(), expire_on_commit=False) as active, active.begin():
            if tenants.current() != tenants.EVERY:
                _begin_for(active, tenants.current())
            yield active
    except (DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if cause is None or not _passes(cause):
            raise
        if _is_broken(cause):
            dispose()
        raise Unavailable(explained(cause)) from error


def _begin_for(active: Session, tenant: str) -> None:
    """Begin the transaction and name its tenant in one round trip, the one that psycopg's own BEGIN would take."""
    connection = active.connection()
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    named = pq.Escaping(driver.pgconn).escape_literal(tenant.encode())
    result = driver.pgconn.exec_(b"begin; select set_config('%s', %s, true)" % (tenants.SETTING.encode(), named))
    if result.status != pq.ExecStatus.TUPLES_OK:
        broken = driver.pgconn.status != pq.ConnStatus.OK
        connection.invalidate()
        if broken:
            raise psycopg.OperationalError(driver.pgconn.get_error_message())
        raise errors.error_from_result(result)


def json(value: Any) -> Jsonb:
    """`value` as a JSON argument of `call`."""
    return Jsonb(value)


def call(function: str, *arguments: Any) -> Any:
    """Call one of the journal's SQL functions as one round trip and one commit; returns its JSON value.

    What may pass is tried once more, over a new connection where the old one is dead (server restarted): every such
    function is a compare-and-set, so calling it twice is safe. Raises Unavailable when Postgres is away or refuses.
    """
    try:
        return _calls().call(function, arguments)
    except psycopg.Error as error:
        if not _passes(error):
            raise
        if _is_broken(error):
            dispose()
    try:
        return _calls().call(function, arguments)
    except psycopg.Error as error:
        if not _passes(error):
            raise
        raise Unavailable(explained(error)) from error


def insist(function: str, *arguments: Any, again: str) -> Any:
    """As `call`, for a worker whose claim or result is at stake: goes on until Postgres answers and takes it.

    again: the function to call, with the same arguments, after a connection broke: the first call may have been
    committed, only its reply lost (journal/functions/9_lost_replies.sql).
    """
    try:
        return _calls().call(function, arguments)
    except psycopg.Error as error:
        if not _passes(error):
            raise
        refused: psycopg.Error = error
    pause = 0.02
    with troubles.lasting("postgres") as say:
        while True:
            say(explained(refused))
            log.warning("Postgres did not take a call; trying on", function=function, error=_said(refused))
            if _is_broken(refused):
                dispose()
            try:
                return _calls().call(again, arguments)
            except psycopg.Error as error:
                if not _passes(error):
                    raise
                refused = error
            time.sleep(pause)
            pause = min(pause * 2, 1)


def dispose() -> None:
    """Close this process's idle connections; they may be dead."""
    engine().dispose()
    _calls().dispose()


# What passes when somebody mends the server: no room (class 53), an operator's doing (57), a broken disk (58), a server
# that takes no writes for now, a right that was taken away (some hosts do that when a plan is full).
_PASSING_CLASSES = ("08", "53", "57", "58")
_PASSING = {"25006", "42501", "40001", "40P01", "55P03"}


def _passes(error: BaseException) -> bool:
    """Whether the same call may well succeed later."""
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    if "row-level security" in str(error):  # a row of another tenant: our mistake, and the same the next time
        return False
    return error.sqlstate[:2] in _PASSING_CLASSES or error.sqlstate in _PASSING


def _is_broken(error: BaseException) -> bool:
    """Whether it is the connection that failed, not what was asked of it: another may do (to a server that is
    read-only no longer, for instance)."""
    state = getattr(error, "sqlstate", None)
    return state is None or state[:2] in {"08", "57"} or state == "25006"


def explained(error: BaseException) -> str:
    """In one sentence, what Postgres suffers from and what mends it."""
    state, said = getattr(error, "sqlstate", None), _said(error)
    if state == "53300" or re.search(r"too many (clients|connections)|connection slots are reserved", said):
        return (
            "Postgres has no connection left: close some, lower DB_POOL_SIZE or the number of processes, "
            "or raise max_connections."
        )
    if state == "25006":
        return "Postgres takes no writes (it is read-only): end that (a failover, a full plan, a setting) to go on."
    if state == "53100":
        return f"Postgres has a full disk ({said}): make room to go on."
    if state == "42501":
        return f"Postgres does not let this role write ({said}): grant it to go on."
    if state is None or state[:2] in {"08", "57"}:
        return "Postgres does not answer; check DATABASE_URL and that the server runs."
    return f"Postgres refuses ({said}); it is asked again until it does not."


def _said(error: BaseException) -> str:
    """Its message without where in our functions it arose."""
    diagnosis = getattr(error, "diag", None)
    return (diagnosis and diagnosis.message_primary) or " ".join(str(error).split())
