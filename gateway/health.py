"""/healthz says that this process lives; /readyz says that a run would get through, or what is missing."""

from collections.abc import Callable
from functools import cache

import redis
from alembic.script import ScriptDirectory
from flask import Blueprint, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import TypedDict

import migrations
from gateway import declare, known_tools, problems, wire
from gateway.streams import capacity
from services import database, settings
from services.access import row_security
from services.errors import FieldError, PerdureError, Unavailable
from services.journal import event_feed, workers

KINDS = ("planning", "execution", "reflection")

blueprint = Blueprint("health", __name__)


class Health(TypedDict):
    """In one word."""

    status: str


@blueprint.get("/healthz")
@declare.operation(gives=Health)
def lives() -> Response:
    """200 as long as this process answers at all."""
    return wire.reply({"status": "ok"})


@blueprint.get("/readyz")
@declare.operation(gives=Health)
def ready() -> Response:
    """200 when every part that a run needs is there; else 503 that names each missing part."""
    if capacity.draining():
        return problems.response(Unavailable("This process is shutting down."))
    missing = [FieldError(f"#/{part}", fault) for part, fault in _faults()]
    if missing:
        return problems.response(Unavailable(" ".join(fault.detail for fault in missing), errors=missing))
    return wire.reply({"status": "ready"})


def _faults() -> list[tuple[str, str]]:
    """(part, what is wrong with it) of all that is missing. Without Postgres the rest can't be known."""
    checks: list[tuple[str, Callable[[], str | None]]] = [
        ("postgres", _migrations),
        ("tenants", _role),
        ("redis", _redis),
    ]
    faults = [(part, fault) for part, check in checks if (fault := check())]
    if any(part == "postgres" for part, _ in faults):
        return faults
    living = workers.living_kinds(settings.current().lease_seconds)
    faults += [(kind, f"No {kind} worker is alive.") for kind in KINDS if kind not in living]
    if not known_tools.current():
        faults.append(("tools", "No execution worker has registered its tools yet."))
    return faults


def _migrations() -> str | None:
    try:
        with database.session() as session:
            found = session.execute(text("select to_regclass('alembic_version') is not null")).scalar()
            at = session.execute(text("select version_num from alembic_version")).scalar() if found else None
    except (PerdureError, SQLAlchemyError):
        return "Postgres does not answer."
    if at != _head():
        return f"The database is at migration {at or 'none'}, not at {_head()}: run `perdure migrate`."
    return None


def _role() -> str | None:
    """One tenant, where no keys are asked for, needs no keeping apart."""
    try:
        return row_security.fault() if settings.current().auth_required else None
    except PerdureError:
        return None


@cache
def _head() -> str | None:
    return ScriptDirectory.from_config(migrations.config()).get_current_head()


def _redis() -> str | None:
    try:
        event_feed.client().ping()
    except (redis.RedisError, PerdureError):
        return "Redis does not answer."
    return None
