"""A call whose reply was lost is repeated: whether the first was committed, is under way or never came, one result."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg

from services import database, tenants
from services.journal import runs
from tests import runs as test_runs
from tests.integration.journal.conftest import WORKER


def repeated_while_the_first_is_under_way(first: str, again: str, *arguments: Any) -> Any:
    """What `again` returns when `first` holds the run's lock, and is committed only while `again` waits for it."""
    url = database.engine().url.render_as_string(hide_password=False).replace("+psycopg", "")
    with psycopg.connect(url, options=tenants.FOR_EVERY) as connection, ThreadPoolExecutor(1) as pool:
        marks = ", ".join(["%s"] * len(arguments))
        connection.execute(f"select {first}({marks})", arguments)
        repeat: Future[Any] = pool.submit(database.call, again, *arguments)
        test_runs.wait_until(_somebody_waits_for_a_lock)
        connection.commit()
        return repeat.result(10)


def _somebody_waits_for_a_lock() -> bool:
    with database.session() as session:
        waiting = "select exists (select from pg_stat_activity where wait_event_type = 'Lock')"
        return bool(session.connection().exec_driver_sql(waiting).scalar())


def test_a_claim_that_is_committed_meanwhile_is_given_back_and_made_anew(hand: Callable[..., Any]) -> None:
    run = hand(("a", "say"))
    claimed = repeated_while_the_first_is_under_way("claim_step", "claim_step_again", run.id, "a", WORKER)

    assert (claimed["attempt"], run.statuses()) == (2, {"a": "running"})
    assert run.step("a").failures == 0


def test_a_phase_that_is_claimed_meanwhile_is_this_workers_all_the_same(hand: Callable[..., Any]) -> None:
    run_id = str(runs.new_id())
    row = {"id": run_id, "tenant": test_runs.TENANT, "user_id": "ada", "conversation_id": f"c-{run_id}"}
    runs.create({**row, "request": "What is 2 + 3?", "plan": None})
    claimed = repeated_while_the_first_is_under_way("claim_phase", "claim_phase_again", run_id, "plan", WORKER)

    assert claimed["phase_attempt"] == 2
    assert runs.get(test_runs.TENANT, run_id).phase_worker == WORKER


def test_a_result_that_is_committed_meanwhile_is_not_refused_and_the_next_step_is_known(
    hand: Callable[..., Any],
) -> None:
    run = hand(("a", "say"), ("b", "pay", "a"), ("c", "say", "a"))
    run.claim("a")
    done = '[{"id": "a", "attempt": 1, "claimed": true, "output": "said", "began": 0.2, "ended": 0.1}]'
    given = (run.id, WORKER, done, 0, 1, [], [])
    finished = repeated_while_the_first_is_under_way("complete_steps", "complete_steps_again", *given)

    assert (finished["fenced"], finished["claims"][0]["id"], finished["claims"][0]["attempt"]) == (False, "b", 1)
    assert finished["ready"] == [["c", "say"]]
    assert run.names().count("step.succeeded") == 1


def test_a_repeat_that_overtakes_the_first_does_its_work(hand: Callable[..., Any]) -> None:
    run = hand(("a", "say"))
    claimed = database.call("claim_step_again", run.id, "a", WORKER)
    late = database.call("claim_step", run.id, "a", WORKER)

    assert (claimed["attempt"], late) == (1, None)


def test_a_run_is_created_once_however_often_its_creation_is_repeated(hand: Callable[..., Any]) -> None:
    run_id = str(runs.new_id())
    row = {"id": run_id, "tenant": test_runs.TENANT, "user_id": "ada", "conversation_id": f"c-{run_id}"}
    asked = {**row, "request": "What is 2 + 3?", "plan": None}

    assert len(runs.create(asked)) == 1
    assert runs.create(asked) == []
