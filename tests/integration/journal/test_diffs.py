"""The difference between two runs names each field of each step that is not the same, and what they share."""

from typing import Any

import pytest

from services.errors import NotFound
from services.journal import diffs, forks
from services.journal.diffs import Change
from services.journal.forks import Patch
from tests.runs import TENANT


def test_a_fork_differs_from_its_source_in_what_was_patched_and_what_follows(hand: Any, existing: Any) -> None:
    run = hand(("a",), ("b", "say", "", {"text": "${a}"}), ("c", "say", "a"))
    run.succeed("a", "b", "c", output="old")
    run.end()
    fork = existing(forks.fork(TENANT, run.id, patches={"b": Patch(arguments={"text": "new"})})[0])
    fork.succeed("b", output="new")
    fork.end()
    found = diffs.diff(TENANT, run.id, fork.id)

    assert found.same == ["a", "c"]
    (step,) = found.steps
    assert (step.step_id, step.where, step.shared) == ("b", "both", False)
    assert step.changes == [Change("arguments", {"text": "${a}"}, {"text": "new"}), Change("output", "old", "new")]
    assert found.changes == []


def test_steps_that_only_one_run_has_are_named(hand: Any) -> None:
    one, two = hand(("a",), ("b",)), hand(("a",), ("c",), labels={"x": "y"})
    found = diffs.diff(TENANT, one.id, two.id)

    assert [(step.step_id, step.where) for step in found.steps] == [("b", "a"), ("c", "b")]
    assert found.changes == [Change("labels", {}, {"x": "y"})]


def test_runs_of_other_tenants_are_not_compared(hand: Any) -> None:
    run = hand(("a",))

    with pytest.raises(NotFound):
        diffs.diff("other", run.id, run.id)
