"""The sentinel sees the same call again, in a plan and between its revisions, and lets polling be."""

from typing import Any

import pytest

from planning_worker import sentinel
from planning_worker.sentinel import Runaway
from services.journal.finished_steps import FinishedStep
from services.journal.plan_shape import PlanStep


def step(name: str, tool: str = "fetch_page", url: str = "https://a.example/x", **more: Any) -> PlanStep:
    return PlanStep(id=name, tool=tool, arguments={"url": url}, **more)


def done(name: str, status: str = "succeeded", url: str = "https://a.example/x", revision: int = 1) -> FinishedStep:
    error = "It broke." if status == "failed" else None
    planned = {"url": url}
    return FinishedStep(name, "fetch_page", None, planned, status, {}, error, revision=revision, planned=planned)


def test_a_call_that_brought_its_result_is_not_made_again() -> None:
    with pytest.raises(Runaway) as runaway:
        sentinel.check([step("s2", url="HTTPS://a.example/x/ ")], [], [done("s1")])

    assert runaway.value.sign == "repeated"
    assert "${s1}" in runaway.value.errors[0].detail
    assert runaway.value.errors[0].pointer == "#/plan/steps/0"


def test_back_to_a_call_before_the_last_revision_is_oscillation() -> None:
    before = [done("s1", "failed"), done("s2", "failed", "https://b.example", revision=2)]
    with pytest.raises(Runaway) as runaway:
        sentinel.check([step("s3")], [], before)

    assert runaway.value.sign == "oscillating"
    assert "Find another way" in runaway.value.detail


def test_a_fourth_same_call_in_a_plan_is_a_runaway() -> None:
    sentinel.check([step(f"s{number}") for number in range(3)], [], [])
    with pytest.raises(Runaway):
        sentinel.check([step("s4")], [step(f"s{number}") for number in range(3)], [])


def test_asking_again_after_a_wait_is_polling() -> None:
    waits = PlanStep(id="w", tool="sleep", arguments={"seconds": 60})

    sentinel.check([waits, step("s2", depends_on=["w"])], [], [done("s1")])


def test_other_arguments_are_another_call() -> None:
    sentinel.check(
        [step("s2", url="https://a.example/y")], [], [done("s1"), done("s0", "skipped", "https://c.example")]
    )
