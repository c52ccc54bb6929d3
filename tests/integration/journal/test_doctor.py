"""The doctor finds each broken invariant, mends what can be mended, and leaves a healthy system alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from services import database
from services.journal import claims, event_feed, surgery, workers
from services.journal.runs import parse_id
from services.pipeline import doctor, doctor_rounds
from services.tools import catalogue
from tests.integration.journal.conftest import say
from tests.runs import TENANT


@pytest.fixture(autouse=True)
def _nothing_else(tools: Any) -> Iterator[None]:
    """A database without the runs of other tests, queues without their messages, a living process of each kind."""
    event_feed.client().flushall()
    with database.session() as session:
        session.execute(text("truncate runs, events, attempts, workers, delivery_messages cascade"))
    for kind in doctor_rounds.KINDS:
        workers.beat(f"{kind}@test:3:1.00", kind, "test", 3, 1.0)
    workers.beat("execution@test:1:1.00", "execution", "test", 1, 1.0)
    yield
    with database.session() as session:
        session.execute(text("truncate workers"))


def broken(query: str, run: Any, **more: Any) -> None:
    with database.session() as session:
        session.execute(text(query), {"run": run.id, **more})


def invariants(**asked: Any) -> list[str]:
    return [finding.invariant for finding in doctor.examine(**asked) if finding.severity != "info"]


def mended(invariant: str) -> None:
    """The finding is there, repairable; a first look leaves it as it is, --fix mends it, and then it is gone."""
    assert invariants() == [invariant]
    (finding,) = [finding for finding in doctor.examine(fix=True) if finding.severity != "info"]
    assert finding.repaired
    assert invariants() == []


def test_a_healthy_system_has_no_findings(hand: Any) -> None:
    run = hand(("a",), ("b", "say", "a"), ("c", "pay"))
    run.succeed("a")
    run.claim("b")
    done = hand(("a",))
    done.succeed("a")
    done.end()
    failed = hand(("a",), ("b", "say", "a"))
    failed.fail("a")
    failed.end("a failed")
    paused = hand(("a",), ("b", "say", "a"))
    surgery.pause(TENANT, paused.id)
    hand(("a",)).lose("a")

    assert invariants(everything=True) == []


@pytest.mark.parametrize(
    ("query", "invariant"),
    [
        ("update runs set open_steps = 5 where id = :run", "a run's count of open steps is right"),
        (
            "update steps set unmet = 2 where run_id = :run and id = 'b'",
            "a step's count of unmet dependencies is right",
        ),
        (
            "update steps set status = 'pending' where run_id = :run and id = 'a'",
            "everything alive has an owner",
        ),
        (
            "update steps set status = 'waiting', due_at = null where run_id = :run and id = 'a'",
            "everything alive has an owner",
        ),
        (
            "update steps set ready_at = now() - interval '2 min', rung_at = now() - interval '2 min' "
            "where run_id = :run and id = 'a'",
            "what is ready is taken",
        ),
        (
            "update steps set status = 'waiting', due_at = now() - interval '1 min' where run_id = :run and id = 'a'",
            "timers ring",
        ),
    ],
)
def test_what_is_broken_in_a_live_run_is_found_and_mended(hand: Any, query: str, invariant: str) -> None:
    run = hand(("a",), ("b", "say", "a"))
    broken(query, run)
    if invariant == "what is ready is taken":
        assert invariants() == [invariant]
        assert [finding.repaired for finding in doctor.examine(fix=True)] == [True]
    else:
        mended(invariant)

    if run.statuses()["a"] == "waiting":
        with database.session() as session:
            session.execute(text("select sweep_steps('{execution}', '{}', 10)"))
    run.succeed("a", "b")
    assert run.end().status == "succeeded"


def test_the_lease_of_a_worker_that_is_gone_is_given_back(hand: Any) -> None:
    run = hand(("a",))
    assert claims.take(run.id, "a", "execution@gone:1:1.00")
    mended("no lease of the dead")

    assert run.statuses() == {"a": "ready"}


def test_a_phase_held_by_a_worker_that_is_gone_is_given_back(hand: Any) -> None:
    run = hand(("a",))
    run.succeed("a")
    broken("update runs set phase = 'reflect', phase_worker = 'reflection@gone:1:1.00' where id = :run", run)
    mended("no lease of the dead")

    assert run.end().status == "succeeded"


def test_a_silent_worker_is_released_and_its_kind_missed(hand: Any) -> None:
    run = hand(("a",))
    run.claim("a")
    broken("update workers set beat_at = now() - interval '1 min' where kind = 'execution' and :run <> ''", run)
    assert invariants() == ["every kind of process lives", "no lease of the dead", "no lease of the dead"]
    doctor.examine(fix=True)

    assert invariants() == ["every kind of process lives"]
    assert run.statuses() == {"a": "ready"}


def test_open_steps_of_an_ended_run_are_closed_without_touching_its_history(hand: Any) -> None:
    run = hand(("a",), ("b",))
    run.succeed("a", "b")
    run.end()
    before = run.names()
    broken("update steps set status = 'ready' where run_id = :run and id = 'b'", run)
    mended("an ended run has no open step")

    assert run.names() == before


def test_a_settled_run_that_nobody_took_is_rung(hand: Any) -> None:
    run = hand(("a",))
    run.succeed("a")
    broken("update steps set finished_at = now() - interval '1 min' where run_id = :run", run)
    (finding,) = doctor.examine(fix=True)

    assert (finding.invariant, finding.subject, finding.repaired) == ("what is settled is joined", run.id, True)


def test_lost_and_doubled_events_are_reported_though_nobody_can_mend_them(hand: Any) -> None:
    run, other = hand(("a",)), hand(("a",))
    broken("delete from events where run_id = :run and seq = 2", run)
    broken(
        "insert into events (run_id, seq, tenant, name, at, data) "
        "select id, last_seq + 1, tenant, 'run.failed', now(), '{}' from runs where id = :run",
        other,
    )
    broken("update runs set last_seq = last_seq + 1 where id = :run", other)
    findings = doctor.examine(fix=True)

    assert {(finding.invariant, finding.subject, finding.repaired) for finding in findings} == {
        ("events are numbered without a gap", run.id, False),
        ("a run ends with its one terminal event", other.id, False),
    }


def test_a_missing_tool_is_explained(hand: Any) -> None:
    run = hand(("a", "pay"))
    catalogue.register([("test", say)])
    (finding,) = doctor.examine(fix=True)

    assert (finding.subject, finding.repaired) == (f"{run.id}/a", False)
    assert "'pay'" in finding.explanation


def test_what_waits_for_a_person_is_counted(hand: Any) -> None:
    hand(("a", "pay")).lose("a")
    failed = hand(("a",))
    failed.fail("a")
    failed.end("a failed")
    surgery.pause(TENANT, hand(("a",)).id)
    counted = {finding.invariant: finding.subject for finding in doctor.examine()}

    assert counted == {
        "dead letters are looked at": "1",
        "doubts are resolved": "1",
        "paused runs are remembered": "1",
    }


def test_a_tenant_sees_only_its_own_runs(hand: Any) -> None:
    run = hand(("a",))
    broken("update runs set open_steps = 5 where id = :run", run)

    assert invariants(tenant="other") == []
    assert invariants(tenant=TENANT) == ["a run's count of open steps is right"]
    assert parse_id(run.id)
