"""/api/schedules: start runs by the clock; look ahead, pause, run now, make up for what was missed."""

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, run_requests, wire
from gateway.declare import Named, Page
from gateway.fields import Id, Moment, Time
from gateway.run_requests import StartRequest
from services import clock
from services.pipeline import due_schedules
from services.schedules import calendar, schedules
from services.schedules.calendar import Timing
from services.schedules.schedules import Catchup, Overlap, Schedule, Slot

PREVIEWED = 5
EXAMPLE = {"name": "morning", "cron": "0 9 * * *", "run": {"request": "What is on today?"}}

blueprint = Blueprint("schedules", __name__)

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/?#]+$")]


class When(bodies.Body):
    """One of cron (five fields, in `timezone`), every (seconds), at (a time)."""

    model_config = ConfigDict(json_schema_extra=bodies.one_of("cron", "every", "at"))

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


class ScheduleChange(bodies.Body):
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


class Slots(queries.Query):
    """A page of them."""

    limit: int = queries.limit(50, 1_000)
    cursor: Moment | None = None


class Ahead(TypedDict):
    """What a timing says in plain English, and when it is due next."""

    explained: str
    upcoming: list[Time]


class ScheduledRun(TypedDict):
    """What a schedule starts. planned: with a plan of its caller."""

    request: str | None
    agent: str | None
    planned: bool


class ShownSchedule(Ahead):
    """A schedule, and what is ahead of it."""

    name: str
    cron: str | None
    every: float | None
    at: Time | None
    timezone: str
    overlap: Overlap
    catchup: Catchup
    paused: bool
    run: ScheduledRun
    nextAt: Time | None
    createdAt: Time


class ShownSlot(TypedDict):
    """A moment at which a schedule was due, and what became of it."""

    slot: Time
    outcome: str
    workflowId: Id | None
    decidedAt: Time | None


class StartedNow(TypedDict):
    """The run beside all slots."""

    workflowId: Id
    updatesUrl: str


class FilledSlot(TypedDict):
    """A slot that had no run; workflowId: null in a dry run."""

    slot: Time
    workflowId: Id | None


class Filled(TypedDict):
    """The slots that got (in a dry run: would get) a run."""

    items: list[FilledSlot]
    dryRun: bool


@blueprint.get("/api/schedules")
@declare.operation(gives=Page[ShownSchedule])
def listed() -> Response:
    """All schedules by name."""
    return wire.reply(queries.all_of(schedules.listed(_tenant()), _shown))


@blueprint.post("/api/schedules")
@declare.operation(takes=NewSchedule, gives={201: ShownSchedule}, example=EXAMPLE)
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
@declare.operation(takes=When, gives=Ahead, example={"cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"})
def preview() -> Response:
    """The next slots of a timing, and what it says in plain English."""
    asked, _ = bodies.read(When)
    return wire.reply(_ahead(asked.timing(), clock.now()))


@blueprint.get("/api/schedules/<name>")
@declare.operation(gives=ShownSchedule)
def show(name: str) -> Response:
    """One schedule."""
    return wire.reply(_shown(schedules.get(_tenant(), name)))


@blueprint.patch("/api/schedules/<name>")
@declare.operation(takes=ScheduleChange, gives=ShownSchedule, example={"paused": True})
def change(name: str) -> Response:
    """Change a schedule; also how to pause and resume it."""
    asked, _ = bodies.read(ScheduleChange)
    fields = asked.model_dump(exclude_none=True, exclude={"run"})
    if fields.keys() & {"cron", "every", "at", "timezone"}:
        fields = _timed(schedules.get(_tenant(), name), fields)
    if asked.run is not None:
        asked.run.refuse_for_schedules("#/run")
        fields["run"] = run_requests.row(asked.run, _tenant(), pointer="#/run")
    return wire.reply(_shown(schedules.change(_tenant(), name, **fields)))


@blueprint.delete("/api/schedules/<name>")
@declare.operation(gives=Named)
def remove(name: str) -> Response:
    """Drop a schedule; its runs go on."""
    schedules.remove(_tenant(), name)
    return wire.reply({"name": name})


@blueprint.get("/api/schedules/<name>/slots")
@declare.operation(query=Slots, gives=Page[ShownSlot])
def slots(name: str) -> Response:
    """The newest moments at which it was due, and what became of each."""
    asked = queries.read(Slots)
    found = schedules.slots(schedules.get(_tenant(), name), limit=asked.limit + 1, before=asked.cursor)
    return wire.reply(queries.page(found, asked.limit, _slot, lambda slot: _exact(slot.slot)))


@blueprint.post("/api/schedules/<name>/run-now")
@declare.operation(gives={202: StartedNow})
def run_now(name: str) -> Response:
    """Start a run beside all slots."""
    run_id = due_schedules.start_now(schedules.get(_tenant(), name))
    return wire.reply({"workflowId": run_id, "updatesUrl": f"/api/agent/updates?workflowId={run_id}"}, status=202)


@blueprint.post("/api/schedules/<name>/backfill")
@declare.operation(takes=Backfill, gives={200: Filled, 202: Filled})
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


def _shown(schedule: Schedule) -> ShownSchedule:
    asked = {key: value for key, value in schedule.run.items() if key not in ("plan", "tenant") and value is not None}
    return {
        "name": schedule.name,
        "cron": schedule.cron,
        "every": schedule.every,
        "at": clock.to_wire(schedule.at),
        "timezone": schedule.timezone,
        "overlap": schedule.overlap,  # type: ignore[typeddict-item]
        "catchup": schedule.catchup,  # type: ignore[typeddict-item]
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


def _ahead(timing: Timing, now: datetime) -> Ahead:
    return {
        "explained": timing.explained(),
        "upcoming": [clock.to_wire(slot) for slot in islice(timing.after(now), PREVIEWED)],
    }


def _exact(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _slot(slot: Slot) -> ShownSlot:
    return {
        "slot": clock.to_wire(slot.slot),
        "outcome": slot.outcome,
        "workflowId": str(slot.run_id) if slot.run_id else None,
        "decidedAt": clock.to_wire(slot.decided_at),
    }


def _tenant() -> str:
    return authentication.caller().tenant
