"""What a person may do to a live run, and what follows for the other steps."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from services import database
from services.errors import BadInput, Conflict, NotFound
from services.journal import claims, dead_letters, plans, steps, surgery
from services.journal import runs as journal_runs
from services.journal.plan_shape import Plan
from services.tools import catalogue
from tests import runs

TENANT = runs.TENANT
DIAMOND = (("a",), ("b", "say", "a"), ("c", "say", "a"), ("d", "say", "b c"))


def test_a_paused_run_gives_out_no_step_until_it_is_resumed(hand: Any) -> None:
    run = hand(("a",), ("b",), ("c", "say", "a"))
    running = run.claim("a")
    surgery.pause(TENANT, run.id)

    assert run.run().status == "paused"
    assert journal_runs.claim_phase(run.id, "reflect", "w") is None
    assert run.statuses() == {"a": "running", "b": "pending", "c": "pending"}
    finished = run.finish(running)
    assert (finished.claims, finished.ready) == ([], [("c", "say")])
    assert surgery.resume(TENANT, run.id).ready == ["b"]
    assert run.run().status == "executing"
    assert run.names()[-2:] == ["step.succeeded", "run.resumed"]


def test_a_step_that_becomes_ready_in_a_paused_run_is_held_back_when_it_is_claimed(hand: Any) -> None:
    run = hand(("a",), ("b", "say", "a"))
    running = run.claim("a")
    surgery.pause(TENANT, run.id)
    assert run.finish(running).ready == [("b", "say")]

    assert claims.take(run.id, "b", "w") is None
    assert run.statuses()["b"] == "pending"
    assert surgery.resume(TENANT, run.id).ready == ["b"]


def test_pausing_and_resuming_twice_changes_nothing(hand: Any) -> None:
    run = hand(("a",))
    surgery.pause(TENANT, run.id)
    surgery.pause(TENANT, run.id)
    surgery.resume(TENANT, run.id)
    surgery.resume(TENANT, run.id)

    assert run.names().count("run.paused") == run.names().count("run.resumed") == 1


def test_a_settled_run_that_is_paused_reflects_when_it_is_resumed(hand: Any) -> None:
    run = hand(("a",))
    running = run.claim("a")
    surgery.pause(TENANT, run.id)
    run.finish(running)

    assert surgery.resume(TENANT, run.id).phase == "reflect"
    assert run.end().status == "succeeded"


def test_retrying_a_failed_step_brings_back_what_was_skipped_because_of_it(hand: Any) -> None:
    run = hand(*DIAMOND)
    run.succeed("a")
    running = run.claim("c")
    run.fail("b")
    assert run.statuses() == {"a": "succeeded", "b": "failed", "c": "running", "d": "skipped"}
    changed = surgery.retry_step(TENANT, run.id, "b")

    assert changed.ready == ["b"]
    assert run.statuses() == {"a": "succeeded", "b": "ready", "c": "running", "d": "pending"}
    assert run.open_steps() == 3
    run.finish(running)
    run.succeed("b", "d")
    assert run.end().status == "succeeded"


def test_what_another_failure_skipped_stays_skipped(hand: Any) -> None:
    run = hand(("a",), ("b",), ("c", "say", "a b"), ("x",), required=False)
    run.claim("x")
    run.fail("a")
    run.fail("b")
    surgery.retry_step(TENANT, run.id, "a")

    assert run.statuses() == {"a": "ready", "b": "failed", "c": "skipped", "x": "running"}
    surgery.retry_step(TENANT, run.id, "b")
    assert run.statuses()["c"] == "pending"
    assert run.open_steps() == 4


def test_skipping_lets_those_go_on_that_only_wait_and_skips_those_that_need_the_output(hand: Any) -> None:
    run = hand(
        ("a",),
        ("waits", "say", "a"),
        ("needs", "say", "", {"text": "${a}"}),
        ("after", "say", "needs"),
    )
    changed = surgery.skip_step(TENANT, run.id, "a")

    assert changed.ready == ["waits"]
    assert run.statuses() == {"a": "skipped", "waits": "ready", "needs": "skipped", "after": "skipped"}
    assert run.open_steps() == 1


def test_skipping_the_last_open_step_settles_the_run(hand: Any) -> None:
    run = hand(("a",))

    assert surgery.skip_step(TENANT, run.id, "a").phase == "reflect"
    assert run.end().status == "succeeded"


def test_a_given_result_counts_as_the_steps_own_and_a_late_one_is_refused(hand: Any) -> None:
    run = hand(("a",), ("b", "say", "", {"text": "${a}"}))
    running = run.claim("a")
    changed = surgery.override_step(TENANT, run.id, "a", {"given": True})

    assert changed.ready == ["b"]
    assert run.claim("b").outputs == {"a": {"given": True}}
    assert run.finish(running).fenced
    assert run.step("a").output == {"given": True}
    assert run.outcomes("a") == ["abandoned", "late", "overridden"]


def test_a_result_that_others_have_begun_with_is_not_overridden(hand: Any) -> None:
    run = hand(("a",), ("b", "say", "a"))
    run.succeed("a")
    run.claim("b")

    with pytest.raises(Conflict, match="fork"):
        surgery.override_step(TENANT, run.id, "a", 1)


def test_a_step_runs_again_with_other_arguments_as_another_effect(hand: Any) -> None:
    run = hand(("a", "say", "", {"text": "old"}), ("b", "say", "a"))
    first = run.claim("a")
    runs.succeed(first, None, room=claims.Room(0))
    changed = surgery.rerun_step(TENANT, run.id, "a", {"text": "new"})
    second = run.claim("a")

    assert changed.ready == ["a"]
    assert run.statuses() == {"a": "running", "b": "pending"}
    assert (second.arguments, second.fence) == ({"text": "new"}, 2)
    assert second.effect_key not in (first.effect_key, "")
    with pytest.raises(BadInput, match="number"):
        surgery.rerun_step(TENANT, run.id, "a", {"number": 1})
    with pytest.raises(BadInput, match="does not depend on"):
        surgery.rerun_step(TENANT, run.id, "a", {"text": "${b}"})


def test_a_sleeping_step_can_be_woken(hand: Any) -> None:
    run = hand(("a",))
    claims.finish(run.claim("a"), "waiting", worker="w", delay=3600)

    assert surgery.retry_step(TENANT, run.id, "a").ready == ["a"]
    assert run.claim("a").waited


def test_the_history_of_an_ended_run_is_closed(hand: Any) -> None:
    run = hand(("a",))
    run.succeed("a")
    run.end()
    before = run.names()
    for change in (
        lambda: surgery.pause(TENANT, run.id),
        lambda: surgery.resume(TENANT, run.id),
        lambda: surgery.override_step(TENANT, run.id, "a", 1),
        lambda: surgery.skip_step(TENANT, run.id, "a"),
    ):
        with pytest.raises(Conflict):
            change()

    assert run.names() == before
    runs.history(run.id)


def test_another_tenant_can_touch_nothing(hand: Any) -> None:
    run = hand(("a",))

    with pytest.raises(NotFound):
        surgery.pause("other", run.id)
    with pytest.raises(NotFound):
        surgery.skip_step("other", run.id, "a")
    assert run.statuses() == {"a": "ready"}


def test_a_retry_takes_care_of_the_dead_letter(hand: Any) -> None:
    run = hand(("a",), ("b",))
    run.claim("b")
    run.fail("a")
    of_it = dead_letters.Filter(run_id=journal_runs.parse_id(run.id))
    (letter,) = dead_letters.listed(TENANT, of_it, limit=9)
    surgery.retry_step(TENANT, run.id, "a")

    assert (letter.step_id, letter.tool, letter.reason) == ("a", "say", "attempts_exhausted")
    assert dead_letters.count(TENANT, of_it) == 0
    assert dead_letters.get(TENANT, str(letter.id)).resolution == "retry"


def test_a_run_paused_while_it_is_planned_stands_still_once_it_has_its_plan(hand: Any, existing: Any) -> None:
    plan = {"brain": "offline", "source": "offline", "note": None, "usage": {}, "steps": plan_rows()}
    run_id = runs.start(request="Say it.", ring=False)
    surgery.pause(TENANT, run_id)
    assert journal_runs.claim_phase(run_id, "plan", "w") is None
    assert surgery.resume(TENANT, run_id).phase == "plan"
    phase = journal_runs.claim_phase(run_id, "plan", "w")
    assert phase
    surgery.pause(TENANT, run_id)
    plans.complete(phase, plan)
    run = existing(run_id)

    assert run.run().status == "paused"
    assert claims.begin(run_id, "w", claims.Room(1)) is None
    assert run.statuses() == {"a": "pending"}
    assert surgery.resume(TENANT, run_id).ready == ["a"]


def plan_rows() -> list[dict[str, Any]]:
    plan = Plan.model_validate({"steps": [{"id": "a", "tool": "say"}]})
    return steps.rows_of(plan, catalogue.listed(), required=True, attempts=1)


def test_cancelling_ends_a_paused_run(hand: Any) -> None:
    run = hand(("a",), ("b", "say", "a"))
    surgery.pause(TENANT, run.id)
    journal_runs.request_cancel(TENANT, run.id)

    assert run.run().status == "cancelled"
    assert runs.history(run.id)[-1]["name"] == "run.cancelled"


def test_many_hands_at_once_change_a_step_once(hand: Any) -> None:
    run = hand(("a", "pay"))
    run.lose("a")

    def resolve(number: int) -> bool:
        try:
            surgery.resolve_as_done(TENANT, run.id, "a", number)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        resolved = list(pool.map(resolve, range(16)))

    assert resolved.count(True) == 1
    assert run.step("a").output == resolved.index(True)


def test_a_required_failure_keeps_unrelated_steps_skipped_until_it_is_retried(hand: Any) -> None:
    run = hand(("a",), ("b",), ("y",), ("z",))
    other, alive = run.claim("b"), run.claim("y")
    run.fail("a")
    claims.finish(other, "failed", worker="w", error={"detail": "too"})
    surgery.retry_step(TENANT, run.id, "a")

    assert run.statuses() == {"a": "skipped", "b": "failed", "y": "running", "z": "skipped"}
    surgery.retry_step(TENANT, run.id, "b")
    assert run.statuses() == {"a": "ready", "b": "ready", "y": "running", "z": "ready"}
    run.finish(alive)
    assert run.open_steps() == 3


def test_what_goes_on_after_a_skipped_step_is_not_stopped_by_a_failure_before_it(hand: Any) -> None:
    run = hand(("a",), ("b", "say", "a"), ("c", "say", "b"), ("x",), required=False)
    surgery.skip_step(TENANT, run.id, "b")
    run.fail("a")
    surgery.override_step(TENANT, run.id, "x", 1)

    assert run.statuses() == {"a": "failed", "b": "skipped", "c": "ready", "x": "succeeded"}


def test_the_sweeper_leaves_paused_runs_alone(hand: Any) -> None:
    run = hand(("a",))
    running = run.claim("a")
    surgery.pause(TENANT, run.id)
    run.finish(running)
    with database.session() as session:
        session.execute(text("update runs set rung_at = null where id = :run"), {"run": run.id})
        rung = session.scalar(text("select sweep_phases('{}', '{}', 1000)"))

    assert run.id not in [run_id for run_id, _phase in rung]
