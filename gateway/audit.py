"""/api/audit: who changed what; and the one place that writes it down, after every request that was no mere look."""

from typing import Annotated

from flask import Blueprint, Flask, Response, g, request
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, declare, queries, scopes, wire
from gateway.fields import Time
from services import clock, logs, tenants
from services.access import audit
from services.access.scopes import READ
from services.errors import PerdureError

LONGEST_PATH = 500
UNHEARD = (401, 429)  # nothing was done, and whoever it was may try all day

log = logs.get(__name__)
blueprint = Blueprint("audit", __name__)


class Looked(queries.Query):
    """Which rows."""

    limit: int = queries.limit(50, 1_000)
    before: Annotated[int | None, Field(ge=1, le=10**15, description="The `next` of the page before.")] = None
    actor: Annotated[str | None, Field(description="Who did it, as rows have it: `key <id>`, `person <name>`.")] = None


class Write(TypedDict):
    """One write. previous: the hash of the row before; hash: of this row and that."""

    seq: int
    at: Time
    actor: str
    method: str
    path: str
    status: int
    address: str | None
    previous: str
    hash: str


class Writes(TypedDict):
    """Writes, newest first. next: the `before` of those that follow, or null."""

    items: list[Write]
    next: int | None


class Verdict(TypedDict):
    """faults: the first row that is not as it was written, in a sentence."""

    intact: bool
    faults: list[str]


def install(app: Flask) -> None:
    """Write down every request that may have changed something."""
    app.after_request(_write_down)


@blueprint.get("/api/audit")
@declare.operation(query=Looked, gives=Writes)
def listed() -> Response:
    """The tenant's writes, newest first; `before` is the `seq` to go on from."""
    asked = queries.read(Looked)
    rows = audit.listed(_tenant(), limit=asked.limit + 1, before=asked.before, actor=asked.actor)
    page = rows[: asked.limit]
    items: list[Write] = [
        {
            "seq": row.seq,
            "at": clock.to_wire(row.at),
            "actor": row.actor,
            "method": row.method,
            "path": row.path,
            "status": row.status,
            "address": row.address,
            "previous": row.previous,
            "hash": row.hash,
        }
        for row in page
    ]
    return wire.reply({"items": items, "next": page[-1].seq if len(rows) > asked.limit else None})


@blueprint.get("/api/audit/verify")
@declare.operation(gives=Verdict)
def verified() -> Response:
    """Whether the tenant's log is as it was written, and if not, the first row that is not."""
    faults = [str(fault) for _, _, fault in audit.verify(_tenant()) if fault]
    return wire.reply({"intact": not faults, "faults": faults})


def _write_down(response: Response) -> Response:
    if request.method in ("GET", "HEAD", "OPTIONS") or scopes.needed() == READ or response.status_code in UNHEARD:
        return response
    path = request.full_path.rstrip("?")[:LONGEST_PATH].replace("\0", "")
    write_down(g.get("caller"), request.method, path, response.status_code)
    return response


def write_down(caller: authentication.Caller | None, method: str, path: str, status: int) -> None:
    """Write down what the caller (None: a hook, whose tenant is known by now) has done."""
    tenant = caller.tenant if caller else tenants.current()
    if tenant in (tenants.EVERY, tenants.NOBODY):
        return  # a result posted to a callback: an event of its run tells of it
    actor = caller.actor if caller else "hook"
    try:
        with tenants.only(tenant):
            audit.record(tenant, actor, method, path, status, request.remote_addr)
    except PerdureError as error:  # the write is done; that nobody wrote it down is for whoever reads the logs
        log.error("A write is missing from the audit log", path=path, actor=actor, error=error.detail)


def _tenant() -> str:
    return authentication.caller().tenant
