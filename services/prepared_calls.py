"""Calls of SQL functions by prepared statement, straight through libpq, each its own transaction.

A step costs one call; a cursor, a pooled checkout and their adapters took a third of a worker's processor time. A call
for one tenant names it in the same statement, so it costs no round trip more.
"""

import threading
from collections import deque
from typing import Any

import orjson
import psycopg
from psycopg import errors, pq
from psycopg.types.json import Jsonb

from services import tenants

JSON_TYPES = (114, 3802)  # json, jsonb: the numbers are Postgres' own (pg_type.dat) and fixed
BOOLEAN, VOID, INTEGERS, DOUBLE = 16, 2278, (20, 21, 23), 701


class Calls:
    """Connections for calls, at most `size`; whoever comes when all are busy waits."""

    def __init__(self, url: str, size: int, options: str) -> None:
        self._url = url
        # every statement in these functions finds its rows by their keys: to plan it anew for other values is in vain
        self._options = f"{options} -c plan_cache_mode=force_generic_plan"
        self._slots = threading.BoundedSemaphore(size)
        self._idle: deque[_Connection] = deque()

    def call(self, function: str, arguments: tuple[Any, ...]) -> Any:
        """What the function returns: JSON decoded, numbers, booleans, text, None.

        Arguments: str, int, float, bool, None, UUID, lists of str, and Jsonb. Raises psycopg's errors.
        """
        with self._slots:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = _Connection(self._url, self._options)
            try:
                value = connection.call(function, arguments, tenants.current())
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)
            return value

    def dispose(self) -> None:
        """Close the idle connections; they may be dead."""
        while self._idle:
            self._idle.pop().close()


class _Connection:
    def __init__(self, url: str, options: str) -> None:
        self._connection = psycopg.connect(
            url, autocommit=True, connect_timeout=5, application_name="perdure", options=options
        )
        self._libpq = self._connection.pgconn
        self._prepared: set[str] = set()

    def close(self) -> None:
        self._connection.close()

    def call(self, function: str, arguments: tuple[Any, ...], tenant: str) -> Any:
        name = function
        if tenant != tenants.EVERY:
            name, arguments = f"{function}@", (*arguments, tenant)
        if name not in self._prepared:
            self._checked(self._libpq.prepare(name.encode(), _statement(name, len(arguments))))
            self._prepared.add(name)
        given = [_dumped(argument) for argument in arguments]
        result = self._checked(self._libpq.exec_prepared(name.encode(), given))  # type: ignore[arg-type]  # None is null
        return _loaded(result.get_value(0, 0), result.ftype(0))

    def _checked(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            return result
        if self._libpq.status != pq.ConnStatus.OK:
            raise psycopg.OperationalError(self._libpq.get_error_message())
        raise errors.error_from_result(result)


def _statement(name: str, count: int) -> bytes:
    """The call of a function; `name@` also takes a tenant, last, and sets it before the function is called."""
    places = [f"${n + 1}" for n in range(count)]
    if not name.endswith("@"):
        return f"select {name}({', '.join(places)})".encode()
    tenant = places.pop()
    return f"select {name[:-1]}({', '.join(places)}) from set_config('{tenants.SETTING}', {tenant}, true)".encode()


def _dumped(argument: Any) -> bytes | None:
    if argument is None:
        return None
    if isinstance(argument, Jsonb):
        return orjson.dumps(argument.obj)
    if isinstance(argument, bool):
        return b"t" if argument else b"f"
    if isinstance(argument, list):
        return b"{" + b",".join(map(_quoted, argument)) + b"}"
    return str(argument).encode()


def _quoted(item: str) -> bytes:
    """An array's element as Postgres reads it (PostgreSQL 18, 8.15.6)."""
    escaped = str(item).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.encode()


def _loaded(value: bytes | None, kind: int) -> Any:
    if value is None or kind == VOID:
        return None
    if kind in JSON_TYPES:
        return orjson.loads(value)
    if kind == BOOLEAN:
        return value == b"t"
    if kind in INTEGERS:
        return int(value)
    return float(value) if kind == DOUBLE else value.decode()
