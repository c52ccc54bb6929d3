"""POST /api/gc: delete the tenant's ended runs by age and state, or (dryRun) say how many that would be."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Literal

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, wire
from services.journal import retention
from services.journal.runs import RunStatus

blueprint = Blueprint("retention", __name__)


class GcRequest(bodies.Body):
    """olderThan: seconds since the run ended. states: in which it ended. A dry run is the default."""

    older_than: float = Field(ge=0, le=3_153_600_000)
    states: Annotated[list[Literal["succeeded", "failed", "cancelled"]], Field(min_length=1)]
    dry_run: bool = True


class ClearedRuns(TypedDict):
    """How many rows are deleted (or would be). kept: runs with an open dead letter. more: others are left."""

    dryRun: bool
    runs: int
    steps: int
    events: int
    attempts: int
    kept: int
    more: bool


@blueprint.post("/api/gc")
@declare.operation(takes=GcRequest, gives=ClearedRuns, example={"olderThan": 2_592_000, "states": ["succeeded"]})
def clear() -> Response:
    """At most 10,000 runs a call; `more` says that there are others."""
    asked, _ = bodies.read(GcRequest)
    cleared = retention.clear(
        authentication.caller().tenant,
        older_than=timedelta(seconds=asked.older_than),
        states=[RunStatus(state) for state in asked.states],
        dry_run=asked.dry_run,
    )
    return wire.reply({"dryRun": asked.dry_run, **asdict(cleared)})
