"""Flow control: limits per key hold whoever claims, turns come by priority and fairly by tenant, nothing is stuck."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from services import database
from services.errors import BadInput
from services.flow import keys
from services.journal import claims, runs, steps, surgery, why
from services.journal.plan_shape import Plan
from services.pipeline import doctor
from services.tools import catalogue
from tests.integration.journal.conftest import WORKER, Hand
from tests.runs import TENANT, succeed


@pytest.fixture
def limit(tools: Any) -> Iterator[Any]:
    """Set limits that are gone after the test, with all who wait at them."""

    def put(key: str, parallelism: int | None = None, rate: int | None = None, period: float | None = None) -> None:
        keys.set_limit(TENANT, key, parallelism=parallelism, rate=rate, period=period)

    yield put
    with database.session() as session:
        session.execute(text("update steps set status = 'cancelled' where status in ('ready', 'running', 'pending')"))
        session.execute(text("delete from flow_waits"))
        session.execute(text("delete from flow_keys"))


def parallel(number: int, **more: Any) -> list[tuple[Any, ...]]:
    return [(f"s{n}", "say") for n in range(number)]


def tried(run: Hand, *step_ids: str) -> list[str]:
    """Which of these steps this worker gets."""
    return [step_id for step_id in step_ids if claims.take(run.id, step_id, WORKER)]


def finish_running(run: Hand, step_id: str) -> None:
    completed(run.id, step_id, run.step(step_id).attempt)


def completed(run_id: str, step_id: str, attempt: int = 1) -> None:
    done = [{"id": step_id, "attempt": attempt, "claimed": True, "output": None, "began": 0, "ended": 0}]
    database.call("complete_steps", run_id, WORKER, database.json(done), 0, 0, [], [])


def planned(tenant: str, number: int, flow: str | None = None, **more: Any) -> str:
    """A run of parallel steps, of any tenant; its id."""
    run_id = str(runs.new_id())
    plan = Plan.model_validate({"steps": [{"id": f"s{n}", "tool": "say", "flow": flow} for n in range(number)]})
    rows = steps.rows_of(plan, catalogue.listed(), required=True, attempts=2)
    row = {"id": run_id, "tenant": tenant, "user_id": "ada", "conversation_id": f"c-{run_id}", **more}
    written = {"brain": "offline", "source": "caller", "note": None, "steps": rows}
    runs.create({**row, "request": None, "plan": written})
    return run_id


def park_all(run_id: str, number: int) -> None:
    for n in range(number):
        claims.take(run_id, f"s{n}", WORKER)


def served(name: str, turns: int) -> list[str]:
    """The runs that get the next turns, when each granted step runs and ends before the next is granted."""
    order = []
    for _ in range(turns):
        for run_id, step_id in keys.release(name):
            claimed = claims.take(run_id, step_id, WORKER)
            assert claimed
            order.append(run_id)
            succeed(claimed[0], None, room=claims.Room(0))
    return order


def test_no_more_steps_run_than_the_key_allows_and_the_next_goes_on_when_one_ends(limit: Any) -> None:
    limit("tool:say", parallelism=2)
    run = Hand(*parallel(4))
    first = tried(run, "s0", "s1", "s2", "s3")
    at_once = keys.release("tool:say")
    finish_running(run, "s0")
    after_one = keys.release("tool:say")

    assert first == ["s0", "s1"]
    assert at_once == []
    assert after_one == [(run.id, "s2")]
    assert keys.release("tool:say") == []
    assert tried(run, "s3", "s2") == ["s2"]


def test_many_claims_at_the_same_moment_never_exceed_the_limit(limit: Any) -> None:
    limit("tool:say", parallelism=3)
    started = [planned(TENANT, 4) for _ in range(6)]
    got: list[str] = []

    def claim_all(run_id: str) -> None:
        got.extend(f"{run_id}/s{n}" for n in range(4) if claims.take(run_id, f"s{n}", WORKER))

    threads = [threading.Thread(target=claim_all, args=(run_id,)) for run_id in started]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == 3
    assert keys.get(TENANT, "tool:say").running == 3
    assert keys.get(TENANT, "tool:say").waiting == 21


def test_a_rate_lets_so_many_start_in_any_period(limit: Any) -> None:
    limit("tool:say", rate=2, period=60)
    run = Hand(*parallel(4))
    first = tried(run, "s0", "s1", "s2", "s3")
    finish_running(run, "s0")
    too_early = keys.release("tool:say")
    with database.session() as session:
        session.execute(text("update flow_keys set starts = array[starts[1] - interval '61 s', starts[2]]"))

    assert first == ["s0", "s1"]
    assert too_early == []
    assert keys.release("tool:say") == [(run.id, "s2")]
    assert tried(run, "s3", "s2") == ["s2"]
    assert keys.get(TENANT, "tool:say").started == 2


def test_a_flood_of_one_tenant_does_not_make_another_wait_behind_all_of_it(limit: Any) -> None:
    limit("tool:say", parallelism=1)
    flood = planned("flood", 200)
    park_all(flood, 200)
    few = planned("few", 5)
    park_all(few, 5)
    finished = steps.of_run(runs.parse_id(flood))
    running = [step for step in finished if step.status == "running"]
    completed(flood, running[0].id)
    order = served("tool:say", 20)

    assert len(running) == 1
    assert order.count(few) == 5
    assert [n for n, run_id in enumerate(order) if run_id == few][-1] < 12


def test_an_urgent_run_is_served_first(limit: Any) -> None:
    limit("tool:say", parallelism=1)
    ordinary = planned(TENANT, 3)
    park_all(ordinary, 3)
    urgent = planned(TENANT, 2, priority=1)
    park_all(urgent, 2)
    completed(ordinary, "s0")

    assert served("tool:say", 4) == [urgent, urgent, ordinary, ordinary]


def test_who_comes_later_does_not_take_the_slot_of_who_waits(limit: Any) -> None:
    limit("tool:say", parallelism=1)
    first = Hand(*parallel(2))
    tried(first, "s0", "s1")
    finish_running(first, "s0")
    late = Hand(*parallel(1))

    assert tried(late, "s0") == []
    assert keys.release("tool:say") == [(first.id, "s1")]
    assert tried(late, "s0") == []
    assert tried(first, "s1") == ["s1"]


def test_a_free_key_limits_only_the_steps_of_the_tenant_that_set_it(limit: Any) -> None:
    limit("printer", parallelism=1)
    mine, theirs = planned(TENANT, 2, flow="printer"), planned("other", 2, flow="printer")

    assert [bool(claims.take(mine, f"s{n}", WORKER)) for n in range(2)] == [True, False]
    assert [bool(claims.take(theirs, f"s{n}", WORKER)) for n in range(2)] == [True, True]


def test_agents_and_tenants_are_keys_too(limit: Any) -> None:
    limit("agent:writer", parallelism=1)
    limit("tenant:small", parallelism=1)
    written, small = planned(TENANT, 2, agent="writer"), planned("small", 2)

    assert [bool(claims.take(written, f"s{n}", WORKER)) for n in range(2)] == [True, False]
    assert [bool(claims.take(small, f"s{n}", WORKER)) for n in range(2)] == [True, False]


def test_a_step_with_two_keys_needs_room_at_both(limit: Any) -> None:
    limit("tool:say", parallelism=2)
    limit("printer", parallelism=1)
    run_id = planned(TENANT, 3, flow="printer")
    park_all(run_id, 3)
    other = planned(TENANT, 1)

    assert [step.status for step in steps.of_run(runs.parse_id(run_id))] == ["running", "ready", "ready"]
    assert claims.take(other, "s0", WORKER)
    assert keys.release(f"{TENANT}/printer") == []


def test_a_paused_key_starts_nothing_until_it_is_resumed(limit: Any) -> None:
    limit("tool:say", parallelism=5)
    keys.pause(TENANT, "tool:say")
    run = Hand(*parallel(1))

    assert tried(run, "s0") == []
    assert keys.release("tool:say") == []
    assert why.explain(TENANT, run.id).kind == "flow_paused"
    keys.pause(TENANT, "tool:say", paused=False)
    assert keys.release("tool:say") == [(run.id, "s0")]
    assert tried(run, "s0") == ["s0"]


def test_a_new_limit_holds_for_steps_that_are_there_already(limit: Any) -> None:
    run = Hand(*parallel(3))
    run.claim("s0")
    limit("tool:say", parallelism=1)

    assert tried(run, "s1", "s2") == []
    assert keys.get(TENANT, "tool:say").running == 1


def test_a_removed_limit_lets_everybody_go_on(limit: Any) -> None:
    limit("tool:say", parallelism=1)
    run = Hand(*parallel(3))
    tried(run, "s0", "s1", "s2")
    keys.remove(TENANT, "tool:say")

    assert {step for _, step in keys.release("tool:say")} == {"s1", "s2"}
    assert tried(run, "s1", "s2") == ["s1", "s2"]
    assert keys.names_with_waits() == []


def test_a_slot_of_a_dead_worker_comes_free(limit: Any) -> None:
    limit("tool:say", parallelism=1)
    run = Hand(*parallel(2))
    tried(run, "s0", "s1")
    database.call("lose_step", run.id, "s0", 1, "lost")

    assert keys.release("tool:say") == [(run.id, "s1")]


def test_a_granted_turn_that_is_cancelled_goes_to_the_next(limit: Any) -> None:
    limit("tool:say", parallelism=1)
    busy, waiting, next_one = Hand(*parallel(1)), Hand(*parallel(1)), Hand(*parallel(1))
    for run in (busy, waiting, next_one):
        tried(run, "s0")
    finish_running(busy, "s0")
    granted = keys.release("tool:say")
    runs.request_cancel(TENANT, waiting.id)

    assert granted == [(waiting.id, "s0")]
    assert keys.release("tool:say") == [(next_one.id, "s0")]


def test_a_paused_run_gives_its_turn_to_others_and_waits_again_when_resumed(limit: Any) -> None:
    limit("tool:say", parallelism=1)
    busy, paused, other = Hand(*parallel(1)), Hand(*parallel(1)), Hand(*parallel(1))
    for run in (busy, paused, other):
        tried(run, "s0")
    surgery.pause(TENANT, paused.id)
    finish_running(busy, "s0")
    granted = keys.release("tool:say")
    surgery.resume(TENANT, paused.id)

    assert granted == [(other.id, "s0")]
    assert tried(paused, "s0") == []
    assert tried(other, "s0") == ["s0"]
    finish_running(other, "s0")
    assert keys.release("tool:say") == [(paused.id, "s0")]


def test_a_limited_step_is_never_continued_in_place_nor_begun_past_its_limit(limit: Any) -> None:
    limit("tool:say", parallelism=1)
    busy = Hand(*parallel(1))
    tried(busy, "s0")
    run = Hand(("a", "pay"), ("b", "say", "a"))
    finished = run.finish(run.claim("a"))
    begun = claims.begin(planned(TENANT, 2), WORKER, claims.Room(1))

    assert finished.claims == []
    assert [step.id for step in finished.ready] == ["b"]
    assert begun is not None
    assert begun.claims == []
    assert [step.id for step in begun.ready] == ["s0", "s1"]


def test_why_says_where_a_step_stands_in_the_line(limit: Any) -> None:
    limit("tool:say", parallelism=1)
    busy, before, run = Hand(*parallel(1)), Hand(*parallel(1)), Hand(*parallel(1))
    for each in (busy, before, run):
        tried(each, "s0")
    with database.session() as session:
        session.execute(
            text("insert into workers (id, kind, host, pid, process_started) values ('t', 'scheduler', 'h', 1, 1)")
        )
    explained = why.explain(TENANT, run.id)
    with database.session() as session:
        session.execute(text("delete from workers where id = 't'"))

    assert explained.kind == "turn"
    assert "waits for its turn at key tool:say (1 of 1 running, 1 before it)" in explained.sentence


def test_the_doctor_finds_a_step_that_is_held_back_in_no_line(limit: Any) -> None:
    limit("tool:say", parallelism=1)
    run = Hand(*parallel(2))
    tried(run, "s0", "s1")
    with database.session() as session:
        session.execute(text("delete from flow_waits"))
    found = [finding for finding in doctor.examine(tenant=TENANT) if finding.subject == f"{run.id}/s1"]

    assert [(finding.severity, finding.repairable) for finding in found] == [("error", True)]


def test_what_is_no_key_is_refused(tools: Any) -> None:
    with pytest.raises(BadInput, match="is no key"):
        keys.set_limit(TENANT, "a/b", parallelism=1, rate=None, period=None)
