"""A plan that a person wants to look at is held from the commit that makes it; replaced, let go or cancelled."""

from typing import Any
from uuid import UUID

import pytest

from services.errors import Conflict, NotFound
from services.journal import claims, events, plans, reviews, runs, steps, surgery, why, workers
from services.journal.plan_shape import Plan
from services.tools import catalogue
from tests import runs as test_runs
from tests.integration.journal.conftest import WORKER

TENANT = test_runs.TENANT


def written(*named: tuple[str, str]) -> dict[str, Any]:
    """A plan of `say` steps, as the journal takes it: (id, what it waits for)."""
    shape = {"steps": [{"id": name, "tool": "say", "dependsOn": after.split()} for name, after in named]}
    return {
        "note": None,
        "steps": steps.rows_of(Plan.model_validate(shape), catalogue.listed(), required=True, attempts=2),
    }


@pytest.mark.parametrize("request_of_it", [None, "say it"])
def test_nothing_of_it_begins_until_it_is_let_go(hand: Any, request_of_it: str | None) -> None:
    run = hand(("a",), ("b", "say", "a"), request=request_of_it, review=True)
    taken = claims.take(run.id, "a", WORKER)
    before, held = why.explain(TENANT, run.id), run.run()
    let_go = surgery.resume(TENANT, run.id)

    assert taken is None and run.statuses() == {"a": "ready", "b": "pending"}
    assert (before.kind, held.status, reviews.holds(held)) == ("review", "paused", True)
    assert run.names()[:4] == ["run.created", "plan.created", "plan.review_requested", "run.paused"]
    assert let_go.ready == ["a"] and not reviews.holds(run.run())
    run.succeed("a", "b")
    assert run.end().status == "succeeded"


def test_a_replaced_plan_is_the_next_revision_and_is_held_too(hand: Any) -> None:
    run = hand(("a",), ("b", "say", "a"), review=True)
    changed = reviews.replace(TENANT, run.id, written(("x", ""), ("y", "x"), ("z", "x")), revision=1)

    assert [event["name"] for event in changed.events] == ["plan.created"] and changed.ready == []
    assert run.statuses() == {"x": "pending", "y": "pending", "z": "pending"}
    assert (run.run().plan_revision, reviews.holds(run.run()), run.open_steps()) == (2, True, 3)
    newest = plans.newest(UUID(run.id))
    assert newest and newest.source == "caller"
    surgery.resume(TENANT, run.id)
    run.succeed("x", "y", "z")
    assert run.end().status == "succeeded"


def test_what_nobody_has_looked_at_is_not_overwritten(hand: Any) -> None:
    run, plain = hand(("a",), review=True), hand(("a",))
    reviews.replace(TENANT, run.id, written(("x", "")), revision=1)

    with pytest.raises(Conflict, match="revision 2"):
        reviews.replace(TENANT, run.id, written(("y", "")), revision=1)
    surgery.override_step(TENANT, run.id, "x", "by hand")
    with pytest.raises(Conflict, match="result already"):
        reviews.replace(TENANT, run.id, written(("y", "")), revision=2)
    with pytest.raises(Conflict, match="not held"):
        reviews.replace(TENANT, plain.id, written(("y", "")), revision=1)
    with pytest.raises(NotFound):
        reviews.replace("another tenant", run.id, written(("y", "")), revision=2)


def test_a_held_run_is_cancelled_without_having_done_anything(hand: Any) -> None:
    run = hand(("a",), review=True)
    waiting = [each.id for each in reviews.awaited(TENANT, limit=1_000)]
    runs.request_cancel(TENANT, run.id)
    left = [each.id for each in reviews.awaited(TENANT, limit=1_000)]

    assert UUID(run.id) in waiting and UUID(run.id) not in left
    assert (run.run().status, run.statuses()) == ("cancelled", {"a": "cancelled"})


def test_a_planner_that_dies_leaves_the_wish_to_look(hand: Any, existing: Any) -> None:
    run_id = str(runs.new_id())
    row = {"id": run_id, "tenant": TENANT, "user_id": "ada", "conversation_id": run_id, "request": "say it"}
    runs.create({**row, "review": True})
    workers.beat("planning@dead", "planning", "test", 2, 1.0)
    assert runs.claim_phase(run_id, "plan", "planning@dead")
    workers.release("planning@dead", "lost")
    again = runs.claim_phase(run_id, "plan", WORKER)
    assert again and again.run["review"]
    made = plans.complete(again, {**written(("a", "")), "brain": "offline", "source": "offline"})

    assert made and reviews.holds(existing(run_id).run())
    assert [event["name"] for event in made.events] == ["plan.created", "plan.review_requested", "run.paused"]


def test_a_plan_without_steps_has_nothing_to_look_at(hand: Any) -> None:
    run = hand(request="hello", review=True)

    assert (run.run().phase, run.run().status) == ("reflect", "reflecting")
    assert "plan.review_requested" not in [each["name"] for each in events.after(UUID(run.id), 0)]
