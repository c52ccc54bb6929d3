"""`why` names the one thing that a live run waits on."""

from typing import Any

import pytest
from sqlalchemy import text

from services import database
from services.journal import claims, runs, surgery, why, workers
from services.journal.why import Kind
from services.tools import catalogue
from tests.integration.journal.conftest import WORKER, say
from tests.runs import TENANT


@pytest.fixture(autouse=True)
def _everybody_lives(tools: Any) -> Any:
    names = [f"{kind}@test:2:1.00" for kind in ("planning", "reflection", "scheduler")]
    for name in names:
        workers.beat(name, name.split("@")[0], "test", 2, 1.0)
    yield
    for name in names:
        workers.release(name, "handed_back")


def kind(run: Any) -> tuple[Kind, str | None]:
    found = why.explain(TENANT, run.id)
    assert found.sentence.endswith((".", "?")) and len(found.sentence) < 300
    return found.kind, found.step_id


def change(query: str, run: Any) -> None:
    with database.session() as session:
        session.execute(text(query), {"run": run.id})


def test_a_step_at_work_is_named_with_its_worker(hand: Any) -> None:
    run = hand(("a",), ("b",))
    run.claim("a")
    found = why.explain(TENANT, run.id)

    assert (found.kind, found.step_id, found.worker) == (Kind.LEASE, "a", WORKER)
    assert WORKER in found.sentence


def test_the_lease_of_a_dead_worker_is_seen_as_such(hand: Any) -> None:
    run = hand(("a",))
    assert claims.take(run.id, "a", "execution@gone:1:1.00")

    assert kind(run) == (Kind.LEASE_OF_THE_DEAD, "a")


def test_a_step_beyond_its_timeout(hand: Any) -> None:
    run = hand(("a",))
    run.claim("a")
    change("update steps set deadline = now() - interval '1 s' where run_id = :run", run)

    assert kind(run) == (Kind.OVERTIME, "a")


def test_a_ready_step_says_when_it_was_rung(hand: Any) -> None:
    run = hand(("a",))
    found = why.explain(TENANT, run.id)

    assert (found.kind, found.step_id) == (Kind.READY, "a")
    assert "was rung 0." in found.sentence and "messages wait in execution" in found.sentence


def test_a_ready_step_without_a_worker(hand: Any) -> None:
    run = hand(("a",))
    change("update workers set beat_at = now() - interval '1 hour' where kind = 'execution' and :run <> ''", run)

    assert kind(run) == (Kind.NO_WORKER, "a")


def test_a_tool_that_is_gone(hand: Any) -> None:
    run = hand(("a", "pay"))
    catalogue.register([("test", say)])

    assert kind(run) == (Kind.MISSING_TOOL, "a")


def test_a_doubt_waits_for_a_person(hand: Any) -> None:
    run = hand(("a", "pay"))
    run.lose("a")

    assert kind(run) == (Kind.IN_DOUBT, "a")
    assert "died" in why.explain(TENANT, run.id).sentence


def test_a_sleep_and_a_backoff_are_told_apart(hand: Any) -> None:
    run, other = hand(("a",)), hand(("a",))
    claims.finish(run.claim("a"), "waiting", worker="w", delay=60)
    claims.finish(other.claim("a"), "retry", worker="w", delay=60, error={"detail": "the site was down."})
    found = why.explain(TENANT, other.id)

    assert kind(run) == (Kind.TIMER, "a")
    assert (found.kind, found.due_at) == (Kind.RETRY_BACKOFF, other.step("a").due_at)
    assert "the site was down" in found.sentence


def test_a_timer_that_is_due_while_no_scheduler_lives(hand: Any) -> None:
    run = hand(("a",))
    claims.finish(run.claim("a"), "waiting", worker="w", delay=0)
    workers.release("scheduler@test:2:1.00", "handed_back")

    assert kind(run) == (Kind.NO_WORKER, "a")


def test_paused_cancelled_settled_and_ended_runs(hand: Any) -> None:
    run = hand(("a",), ("b",))
    running = run.claim("a")
    surgery.pause(TENANT, run.id)
    assert kind(run)[0] == Kind.PAUSED
    surgery.resume(TENANT, run.id)
    run.succeed("b")
    run.finish(running)
    assert kind(run)[0] == Kind.NOT_JOINED
    run.end()
    assert kind(run)[0] == Kind.ENDED
    other = hand(("a",))
    other.claim("a")
    runs.request_cancel(TENANT, other.id)

    assert kind(other)[0] == Kind.CANCELLING


def test_a_phase_is_owned_or_tried_again_or_waits_for_a_worker(hand: Any) -> None:
    run = hand(("a",))
    run.succeed("a")
    phase = runs.claim_phase(run.id, "reflect", WORKER)
    assert phase
    assert kind(run)[0] == Kind.PHASE_OWNED
    runs.fail_phase(phase, detail="no model", retry_in=60)
    assert kind(run)[0] == Kind.PHASE_RETRY
    change("update runs set due_at = null where id = :run", run)
    assert kind(run)[0] == Kind.PHASE_UNOWNED
    workers.release("reflection@test:2:1.00", "handed_back")

    assert kind(run)[0] == Kind.NO_WORKER


def test_what_must_not_be_is_said_to_be_so(hand: Any) -> None:
    run = hand(("a",), ("b", "say", "a"))
    change("update steps set status = 'pending' where run_id = :run", run)

    assert kind(run)[0] == Kind.STUCK
