"""Schedules on a real database: one run a slot whoever looks, overlap, what was missed, and the API over them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from gateway.app import create_app
from services import database
from services.journal import run_search, runs
from services.journal.runs import Run
from services.pipeline import due_schedules
from services.schedules import schedules
from services.schedules.schedules import Schedule, Slot

TENANT = "default"


@pytest.fixture
def http(servers: Any) -> FlaskClient:
    return create_app().test_client()


@pytest.fixture
def due(servers: Any) -> Iterator[Any]:
    """Makes a schedule that is due every minute, the first time so many minutes ago."""
    made: list[Schedule] = []

    def make(minutes_ago: float, **fields: Any) -> Schedule:
        run = {"request": "Do it", "plan": None, "user_id": "ada", "tenant": TENANT}
        fields = {"every": 60.0, "overlap": "allow", "catchup": "all"} | fields
        first = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        schedule = Schedule(
            tenant=TENANT, name=f"s-{uuid4()}", timezone="UTC", run=run, paused=False, created_at=first, **fields
        )
        made.append(schedules.add(schedule))
        return made[-1]

    yield make
    for schedule in made:
        schedules.remove(TENANT, schedule.name)


def outcomes(schedule: Schedule) -> list[str]:
    return [slot.outcome for slot in reversed(schedules.slots(schedule, limit=100))]


def runs_of(schedule: Schedule) -> list[Run]:
    return run_search.listed(TENANT, run_search.Filter(labels={"schedule": schedule.name}), limit=200)


def ended(run: Run) -> None:
    runs.request_cancel(TENANT, str(run.id))


def test_three_schedulers_start_one_run_for_every_slot(due: Any) -> None:
    schedule = due(20.5)
    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(due_schedules.start_due) for _ in range(9)]:
            future.result()
    found = schedules.slots(schedule, limit=100)

    assert outcomes(schedule) == ["started"] * 20
    assert len(runs_of(schedule)) == 20
    assert len({slot.slot for slot in found}) == 20
    assert schedules.get(TENANT, schedule.name).next_at > datetime.now(UTC)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("catchup", "expected"),
    [("all", ["started"] * 3), ("last", ["missed"] * 2 + ["started"]), ("none", ["missed"] * 3)],
)
def test_what_was_missed_is_made_up_for_as_asked(due: Any, catchup: str, expected: list[str]) -> None:
    # the newest slot is more than a minute past: nobody looked in time
    schedule = due(3.9 * 5, every=300.0, catchup=catchup)
    due_schedules.start_due()

    assert outcomes(schedule) == expected


@pytest.mark.parametrize(("overlap", "expected"), [("skip", "skipped"), ("queue", "queued"), ("cancel", "started")])
def test_a_slot_during_the_run_before(due: Any, overlap: str, expected: str) -> None:
    schedule = due(2.5, overlap=overlap)
    due_schedules.start_due()

    assert outcomes(schedule) == ["started", expected]
    assert sum(not run.cancel_requested and run.phase is not None for run in runs_of(schedule)) == 1


def test_what_is_queued_starts_when_the_run_before_has_ended(due: Any) -> None:
    schedule = due(2.5, overlap="queue")
    due_schedules.start_due()
    (first,) = runs_of(schedule)
    due_schedules.start_due()
    before = outcomes(schedule)
    ended(first)
    due_schedules.start_due()

    assert before == ["started", "queued"]
    assert outcomes(schedule) == ["started", "started"]


def test_a_paused_schedule_starts_nothing(due: Any) -> None:
    schedule = due(2.5)
    schedules.change(TENANT, schedule.name, paused=True)
    due_schedules.start_due()

    assert outcomes(schedule) == []


def test_backfill_starts_what_has_no_run_and_only_that(due: Any) -> None:
    schedule = due(5.5, catchup="last")
    due_schedules.start_due()
    since, until = datetime.now(UTC) - timedelta(minutes=10), datetime.now(UTC)
    planned = due_schedules.backfill(schedule, since, until, dry_run=True)
    made = due_schedules.backfill(schedule, since, until, dry_run=False)

    assert [run_id for _, run_id in planned] == [None] * len(planned)
    assert len(made) == len(planned) >= 4
    assert due_schedules.backfill(schedule, since, until, dry_run=False) == []
    with database.session() as session:
        rows = session.scalars(select(Slot).where(Slot.schedule_id == schedule.id)).all()
    assert len({slot.run_id for slot in rows}) == len(rows)


def test_a_schedule_is_made_changed_looked_at_and_dropped_over_http(http: FlaskClient) -> None:
    name = f"s-{uuid4()}"
    body = {"name": name, "cron": "0 9 * * 1-5", "timezone": "Europe/Berlin", "run": {"request": "Report"}}
    made = http.post("/api/schedules", json=body)
    again = http.post("/api/schedules", json=body)
    changed = http.patch(f"/api/schedules/{name}", json={"every": 3600, "paused": True})
    now = http.post(f"/api/schedules/{name}/run-now")
    seen = http.get(f"/api/schedules/{name}/slots").get_json()["items"]
    listed = [one["name"] for one in http.get("/api/schedules").get_json()["items"]]
    dropped = http.delete(f"/api/schedules/{name}")

    assert (made.status_code, again.status_code) == (201, 409)
    assert made.get_json()["explained"] == "At 09:00 on Monday through Friday (Europe/Berlin)"
    assert len(made.get_json()["upcoming"]) == 5
    assert (changed.get_json()["cron"], changed.get_json()["every"], changed.get_json()["paused"]) == (None, 3600, True)
    assert now.status_code == 202
    assert [slot["workflowId"] for slot in seen] == [now.get_json()["workflowId"]]
    assert name in listed
    assert (dropped.status_code, http.get(f"/api/schedules/{name}").status_code) == (200, 404)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"cron": "61 * * * *"}, "#/cron"),
        ({"cron": "* * * * *", "timezone": "Nowhere"}, "#/timezone"),
        ({"every": 5, "overlap": "perhaps"}, "#/overlap"),
        ({"every": 5, "run": {}}, "#/run"),
        ({"at": "tomorrow"}, "#/at"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused_by_its_field(
    http: FlaskClient, fields: dict[str, Any], pointer: str
) -> None:
    refused = http.post("/api/schedules", json={"name": "odd", "run": {"request": "x"}} | fields)

    assert refused.status_code == 400
    assert refused.get_json()["errors"][0]["pointer"] == pointer


def test_the_next_slots_can_be_seen_before(http: FlaskClient) -> None:
    shown = http.post("/api/schedules/preview", json={"cron": "*/15 * * * *"}).get_json()

    assert shown["explained"] == "Every 15th minute of every hour (UTC)"
    assert len(shown["upcoming"]) == 5
