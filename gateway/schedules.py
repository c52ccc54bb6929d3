"""/api/schedules: start runs by the clock; look ahead, pause, run now, make up for what was missed."""

from datetime import datetime
from itertools import islice
from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field

from gateway import authentication, bodies, queries, run_requests, wire
from gateway.bodies import Moment
from gateway.run_requests import StartRequest
from services import clock
from services.pipeline import due_schedules
from services.schedules import calendar, schedules
from services.schedules.calendar import Timing
from services.schedules.schedules import Catchup, Overlap, Schedule, Slot

PREVIEWED = 5

blueprint = Blueprint("schedules", __name__)

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/?#]+$")]


class When(bodies.Body):
    """One of cron (five fields, in `timezone`), every (seconds), at (a time)."""

    cron: Annotated[str, Field(max_length=200)] | None = None
    every: Annotated[float, Field(gt=0, le=366 * 86_400)] | None = None
    at: Moment | None = None
    timezone: Annotated[str, Field(max_length=100)] = "UTC"

    def timing(self) -> Timing:
        """What is asked for. Raises BadInput when it makes no sense."""
        timing = Timing(self.cron, self.every, self.at, self.timezone, clock.now())
        calendar.check(timing)
        return timing


class NewSchedule(When):
    """run: what POST /api/agent/start takes. overlap: while the run before lives. catchup: of missed slots."""

    name: Name
    run: StartRequest
    overlap: Overlap = "skip"
    catchup: Catchup = "last"
    paused: bool = False


class Change(bodies.Body):
    """What to change; what is left out stays."""

    cron: Annotated[str, Field(max_length=200)] | None = None
    every: Annotated[float, Field(gt=0, le=366 * 86_400)] | None = None
    at: Moment | None = None
    timezone: Annotated[str, Field(max_length=100)] | None = None
    run: StartRequest | None = None
    overlap: Overlap | None = None
    catchup: Catchup | None = None
    paused: bool | None = None


class Backfill(bodies.Body):
    """The slots in since … until that have no run."""

    since: Moment
    until: Moment
    dry_run: bool = False


@blueprint.get("/api/schedules")
def listed() -> Response:
    """All schedules by name."""
    return wire.reply({"items": [_shown(one) for one in schedules.listed(_tenant())], "next": None})


@blueprint.post("/api/schedules")
def add() -> Response:
    """A new schedule, due from now on."""
    asked, _ = bodies.read(NewSchedule)
    asked.timing()
    asked.run.refuse_for_schedules("#/run")
    kept = schedules.add(
        Schedule(
            tenant=_tenant(),
            name=asked.name,
            cron=asked.cron,
            every=asked.every,
            at=asked.at,
            timezone=asked.timezone,
            run=run_requests.row(asked.run, _tenant(), pointer="#/run"),
            overlap=asked.overlap,
            catchup=asked.catchup,
            paused=asked.paused,
        )
    )
    return wire.reply(_shown(kept), status=201)


@blueprint.post("/api/schedules/preview")
def preview() -> Response:
    """The next slots of a timing, and what it says in plain English."""
    asked, _ = bodies.read(When)
    return wire.reply(_ahead(asked.timing(), clock.now()))


@blueprint.get("/api/schedules/<name>")
def show(name: str) -> Response:
    """One schedule."""
    return wire.reply(_shown(schedules.get(_tenant(), name)))


@blueprint.patch("/api/schedules/<name>")
def change(name: str) -> Response:
    """Change a schedule; also how to pause and resume it."""
    asked, _ = bodies.read(Change)
    fields = asked.model_dump(exclude_unset=True, exclude={"run"})
    if fields.keys() & {"cron", "every", "at", "timezone"}:
        fields = _timed(schedules.get(_tenant(), name), fields)
    if asked.run is not None:
        asked.run.refuse_for_schedules("#/run")
        fields["run"] = run_requests.row(asked.run, _tenant(), pointer="#/run")
    return wire.reply(_shown(schedules.change(_tenant(), name, **fields)))


@blueprint.delete("/api/schedules/<name>")
def remove(name: str) -> Response:
    """Drop a schedule; its runs go on."""
    schedules.remove(_tenant(), name)
    return wire.reply({"name": name})


@blueprint.get("/api/schedules/<name>/slots")
def slots(name: str) -> Response:
    """The newest moments at which it was due, and what became of each."""
    queries.known_only("limit")
    limit = queries.integer("limit", 50, least=1, most=1_000)
    found = schedules.slots(schedules.get(_tenant(), name), limit=limit)
    return wire.reply({"items": [_slot(slot) for slot in found], "next": None})


@blueprint.post("/api/schedules/<name>/run-now")
def run_now(name: str) -> Response:
    """Start a run beside all slots."""
    run_id = due_schedules.start_now(schedules.get(_tenant(), name))
    return wire.reply({"workflowId": run_id, "updatesUrl": f"/api/agent/updates?workflowId={run_id}"}, status=202)


@blueprint.post("/api/schedules/<name>/backfill")
def backfill(name: str) -> Response:
    """Start the runs of the slots in a time that have none; with dryRun only tell which."""
    asked, _ = bodies.read(Backfill)
    schedule = schedules.get(_tenant(), name)
    made = due_schedules.backfill(schedule, asked.since, asked.until, dry_run=asked.dry_run)
    items = [{"slot": clock.to_wire(slot), "workflowId": run_id} for slot, run_id in made]
    return wire.reply({"items": items, "dryRun": asked.dry_run}, status=200 if asked.dry_run else 202)


def _timed(schedule: Schedule, fields: dict[str, Any]) -> dict[str, Any]:
    """The changed fields with the other ways of timing cleared."""
    given = [name for name in ("cron", "every", "at") if fields.get(name) is not None]
    if given:
        fields = {"cron": None, "every": None, "at": None} | fields
    merged = {name: fields.get(name, getattr(schedule, name)) for name in ("cron", "every", "at", "timezone")}
    calendar.check(Timing(**merged))
    return fields


def _shown(schedule: Schedule) -> dict[str, Any]:
    asked = {key: value for key, value in schedule.run.items() if key not in ("plan", "tenant") and value is not None}
    return {
        "name": schedule.name,
        "cron": schedule.cron,
        "every": schedule.every,
        "at": clock.to_wire(schedule.at),
        "timezone": schedule.timezone,
        "overlap": schedule.overlap,
        "catchup": schedule.catchup,
        "paused": schedule.paused,
        "run": {
            "request": asked.get("request"),
            "agent": asked.get("agent"),
            "planned": bool(schedule.run.get("plan")),
        },
        "nextAt": clock.to_wire(schedule.next_at),
        "createdAt": clock.to_wire(schedule.created_at),
        **_ahead(schedule.timing, clock.now()),
    }


def _ahead(timing: Timing, now: datetime) -> dict[str, Any]:
    return {
        "explained": timing.explained(),
        "upcoming": [clock.to_wire(slot) for slot in islice(timing.after(now), PREVIEWED)],
    }


def _slot(slot: Slot) -> dict[str, Any]:
    return {
        "slot": clock.to_wire(slot.slot),
        "outcome": slot.outcome,
        "workflowId": str(slot.run_id) if slot.run_id else None,
        "decidedAt": clock.to_wire(slot.decided_at),
    }


def _tenant() -> str:
    return authentication.caller().tenant
