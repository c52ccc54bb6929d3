"""A fork shares what its source has finished; what it runs anew, and under which name, follows from what was asked."""

from typing import Any
from uuid import UUID

import pytest

from services.errors import BadInput, Conflict
from services.journal import claims, events, forks, runs, surgery
from services.journal.forks import Patch
from services.memory import short_term
from tests import runs as test_runs
from tests.runs import TENANT

CHAIN = (("a",), ("b", "say", "", {"text": "${a}"}), ("c", "say", "b"))


def test_a_fork_of_a_failed_run_goes_on_where_it_failed(hand: Any, existing: Any) -> None:
    run = hand(*CHAIN)
    run.succeed("a", output="first")
    run.fail("b")
    run.end("b failed")
    before = run.names()
    fork_id, changed = forks.fork(TENANT, run.id, resolution="resumed")
    fork = existing(fork_id)

    assert fork.statuses() == {"a": "succeeded", "b": "ready", "c": "pending"}
    assert (changed.phase, fork.open_steps()) == ("execute", 2)
    begun = claims.begin(fork_id, "w", claims.Room(1))
    assert begun
    assert fork.step("a").reused_from == UUID(run.id)
    claim = begun.claims[0]
    assert claim.outputs == {"a": "first"}
    assert (claim.effect_key, claim.unsure) == (f"{run.id}:b", True)
    strand = fork.finish(claim)
    fork.finish(strand.claims[0])
    assert fork.end().status == "succeeded"
    assert run.names() == before
    assert [event["name"] for event in test_runs.history(fork_id)][:3] == ["run.created", "plan.created", "step.reused"]


def test_from_a_step_on_everything_runs_anew_as_another_effect(hand: Any, existing: Any) -> None:
    run = finished(hand)
    fork_id, _ = forks.fork(TENANT, run.id, from_step="b")
    fork = existing(fork_id)

    assert fork.statuses() == {"a": "succeeded", "b": "ready", "c": "pending"}
    claim = fork.claim("b")
    assert (claim.effect_key, claim.unsure) == (f"{fork_id}:b", False)


def finished(hand: Any, **more: Any) -> Any:
    run = hand(*CHAIN, **more)
    run.succeed("a", "b", "c")
    run.end()
    return run


def test_a_patched_result_takes_the_place_of_the_old_one(hand: Any, existing: Any) -> None:
    run = finished(hand)
    fork = existing(forks.fork(TENANT, run.id, patches={"a": Patch(output="other", has_output=True)})[0])

    assert fork.statuses() == {"a": "succeeded", "b": "ready", "c": "pending"}
    assert fork.claim("b").outputs == {"a": "other"}
    assert fork.step("a").reused_from is None


def test_patched_arguments_and_tools_are_checked_and_used(hand: Any, existing: Any) -> None:
    run = finished(hand)
    patch = Patch(tool="pay", arguments={"amount": 3})
    fork = existing(forks.fork(TENANT, run.id, patches={"c": patch})[0])
    step = fork.step("c")

    assert fork.statuses() == {"a": "succeeded", "b": "succeeded", "c": "ready"}
    assert (step.tool, step.arguments, step.effect, step.max_attempts) == ("pay", {"amount": 3}, "unsafe", 2)
    for wrong in (Patch(arguments={"amount": 3}), Patch(tool="none"), Patch(arguments={"text": "${c}"})):
        with pytest.raises(BadInput):
            forks.fork(TENANT, run.id, patches={"b": wrong})
    with pytest.raises(BadInput, match="no step nowhere"):
        forks.fork(TENANT, run.id, from_step="nowhere")


def test_a_fork_without_a_change_of_a_finished_run_only_answers_again(hand: Any, existing: Any) -> None:
    run = finished(hand)
    fork_id, changed = forks.fork(TENANT, run.id)
    fork = existing(fork_id)

    assert (changed.phase, fork.run().status) == ("reflect", "reflecting")
    assert fork.end().status == "succeeded"


def test_a_callers_plan_that_is_restarted_runs_as_a_whole(hand: Any, existing: Any) -> None:
    run = finished(hand)
    fork_id, changed = forks.fork(TENANT, run.id, resolution="restarted")
    fork = existing(fork_id)

    assert (changed.phase, fork.statuses()) == ("execute", {"a": "ready", "b": "pending", "c": "pending"})
    assert fork.claim("a").effect_key == f"{fork_id}:a"


def test_a_request_that_is_restarted_is_planned_again(hand: Any, existing: Any) -> None:
    run = finished(hand, request="What is it?")
    fork_id, changed = forks.fork(TENANT, run.id, resolution="restarted")
    fork = existing(fork_id)

    assert (changed.phase, fork.run().phase, fork.statuses()) == ("plan", "plan", {})
    phase = runs.claim_phase(fork_id, "plan", "w")
    assert phase
    said = short_term.of_run(phase.run).turns
    assert [role for role, _ in said] == ["user", "assistant"]


def test_an_unsafe_doubt_survives_the_fork(hand: Any, existing: Any) -> None:
    run = hand(("a", "pay"), ("b", "say", "a"))
    run.lose("a")
    runs.request_cancel(TENANT, run.id)
    fork_id, _ = forks.fork(TENANT, run.id, resolution="resumed")
    fork = existing(fork_id)

    assert fork.statuses() == {"a": "in_doubt", "b": "pending"}
    assert "step.in_doubt" in fork.names()
    surgery.resolve_as_not_done(TENANT, fork_id, "a")
    assert fork.claim("a").effect_key == f"{run.id}:a"


def test_a_person_who_names_the_doubtful_step_has_it_run_again(hand: Any, existing: Any) -> None:
    run = hand(("a", "pay"))
    run.lose("a")
    runs.request_cancel(TENANT, run.id)

    assert existing(forks.fork(TENANT, run.id, from_step="a")[0]).statuses() == {"a": "ready"}


def test_what_a_person_skipped_stays_skipped(hand: Any, existing: Any) -> None:
    run = hand(("a",), ("b", "say", "a"), ("c", "say", "", {"text": "${a}"}))
    surgery.skip_step(TENANT, run.id, "a")
    run.fail("b")
    run.end("b failed")
    fork = existing(forks.fork(TENANT, run.id)[0])

    assert fork.statuses() == {"a": "skipped", "b": "ready", "c": "skipped"}
    assert fork.open_steps() == 1


def test_a_live_run_is_not_forked(hand: Any) -> None:
    run = hand(("a",))

    with pytest.raises(Conflict, match="cancel"):
        forks.fork(TENANT, run.id)


def test_the_lineage_can_be_followed_both_ways(hand: Any, existing: Any) -> None:
    run = finished(hand)
    first = existing(forks.fork(TENANT, run.id)[0])
    first.end()
    second = existing(forks.fork(TENANT, first.id, from_step="c")[0])

    line = forks.lineage(second.run())
    assert [str(each.id) for each in line.ancestors] == [first.id, run.id]
    assert [str(each.id) for each in forks.lineage(run.run()).forks] == [first.id]
    assert second.run().forked_step == "c"
    assert second.step("a").reused_from == UUID(run.id)
    created = events.after(UUID(second.id), 0)[0]
    assert created["data"]["forkedFrom"] == first.id
