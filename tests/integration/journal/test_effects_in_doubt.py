"""After an attempt whose end nobody knows: what may be repeated is, what can be asked is asked, the rest waits."""

from typing import Any

import pytest

from services.errors import Conflict
from services.journal import claims, runs, steps, surgery
from tests.runs import TENANT, succeed


@pytest.mark.parametrize("reason", ["lost", "timed_out", "broken", "handed_back"])
def test_an_unsafe_step_waits_in_doubt_and_the_run_stays_alive(hand: Any, reason: str) -> None:
    run = hand(("a", "pay"), ("b", "say", "a"))
    run.lose("a", reason)

    assert run.statuses() == {"a": "in_doubt", "b": "pending"}
    assert run.open_steps() == 2
    assert run.run().status == "executing"
    assert run.names()[-1] == "step.in_doubt"
    assert "a" in [step.id for step in steps.in_doubt(TENANT) if str(step.run_id) == run.id]
    assert runs.claim_phase(run.id, "reflect", "w") is None


def test_a_doubt_ends_with_the_result_that_a_person_gives(hand: Any) -> None:
    run = hand(("a", "pay"), ("b", "say", "", {"text": "${a}"}))
    run.lose("a")
    changed = surgery.resolve_as_done(TENANT, run.id, "a", "paid, as the bank says")

    assert changed.ready == ["b"]
    assert run.claim("b").outputs == {"a": "paid, as the bank says"}


def test_a_step_that_did_not_happen_runs_again_under_the_same_key(hand: Any) -> None:
    run = hand(("a", "pay"))
    first = run.claim("a")
    claims.lose(first, "broken", "It broke.", input={"amount": 1})
    assert run.step("a").input == {"amount": 1}
    surgery.resolve_as_not_done(TENANT, run.id, "a")
    second = run.claim("a")

    assert (second.fence, second.effect_key, second.failures) == (2, first.effect_key, 0)


def test_a_doubtful_step_can_be_skipped(hand: Any) -> None:
    run = hand(("a", "pay"), ("b", "say", "a"))
    run.lose("a")

    assert surgery.skip_step(TENANT, run.id, "a").ready == ["b"]


def test_only_a_step_in_doubt_can_be_resolved(hand: Any) -> None:
    run = hand(("a", "pay"))

    with pytest.raises(Conflict, match="ready"):
        surgery.resolve_as_done(TENANT, run.id, "a", 1)


def test_the_late_success_of_the_attempt_itself_ends_the_doubt(hand: Any) -> None:
    run = hand(("a", "pay"), ("b", "say", "a"))
    claim = run.claim("a")
    claims.lose(claim, "broken", "It broke.", input={"amount": 1})
    finished = succeed(claim, "paid")

    assert (finished.fenced, finished.ready) == (False, [("b", "say")])
    assert (run.step("a").status, run.step("a").output) == ("succeeded", "paid")
    assert run.outcomes("a") == ["broken", "late"]


def test_a_late_failure_leaves_the_doubt(hand: Any) -> None:
    run = hand(("a", "pay"))
    claim = run.claim("a")
    claims.lose(claim, "broken", "It broke.", input={"amount": 1})

    assert claims.finish(claim, "failed", worker="w", error={"detail": "x"}).fenced
    assert run.statuses() == {"a": "in_doubt"}


def test_a_step_that_can_be_asked_is_claimed_again_as_unsure_then_waits_for_a_person(hand: Any) -> None:
    run = hand(("a", "send"))
    first = run.claim("a")
    claims.lose(first, "timed_out", "It took too long.", input=None)

    assert not first.unsure
    assert run.statuses() == {"a": "ready"}
    run.lose("a")
    assert run.statuses() == {"a": "in_doubt"}
    surgery.resolve_as_not_done(TENANT, run.id, "a")
    assert run.claim("a").unsure


def test_cancelling_does_not_wait_for_a_doubt_but_keeps_it_on_record(hand: Any) -> None:
    run = hand(("a", "pay"))
    run.lose("a")
    runs.request_cancel(TENANT, run.id)

    assert run.run().status == "cancelled"
    assert run.step("a").error["reason"] == "lost"
