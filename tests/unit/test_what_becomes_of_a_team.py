"""What a delegating step decides from how its children stand: joins, supervision, time."""

from dataclasses import replace
from typing import Any

import pytest

from execution_worker.teams import Decided, Lost, Member, Order, Waits, judge
from services.journal.delegations import Child, Team


def order(size: int = 3, **more: Any) -> Order:
    members = [Member(f"agent {place}", "Do it", None) for place in range(size)]
    made = Order(members, "all", size, None, "escalate", 2, 60.0, detach=False, single=False)
    return replace(made, **more)


def child(place: int, status: str = "executing", number: int = 1, **more: Any) -> Child:
    live = status in {"queued", "planning", "executing", "reflecting", "paused"}
    result = {"agent": f"agent {place}", "status": status, "answer": "yes" if status == "succeeded" else None}
    result |= {"error": "it broke" if status == "failed" else None}
    spent = more.pop("spent", False)
    return Child(f"{place}-{number}", place, number, live, spent, result | more)


def team(*statuses: str, age: float = 1) -> Team:
    return Team([child(place, status) for place, status in enumerate(statuses)], age, depth=0, tree=len(statuses))


def test_a_new_team_is_started_as_a_whole() -> None:
    assert judge(order(), team()) == Waits([(0, 1), (1, 1), (2, 1)])


@pytest.mark.parametrize(
    ("statuses", "need", "verdict"),
    [
        ("succeeded succeeded succeeded", 3, Decided),
        ("succeeded executing succeeded", 3, Waits),
        ("executing succeeded executing", 1, Decided),
        ("failed succeeded executing", 2, Waits),
        ("failed succeeded succeeded", 2, Decided),
        ("failed succeeded failed", 2, Lost),
        ("failed executing executing", 3, Lost),
        ("cancelled failed failed", 1, Lost),
    ],
)
def test_a_join_comes_true_or_is_lost_as_soon_as_that_is_certain(statuses: str, need: int, verdict: type) -> None:
    assert isinstance(judge(order(need=need), team(*statuses.split())), verdict)


def test_what_is_lost_names_who_failed_and_why() -> None:
    verdict = judge(order(need=3), team("failed", "executing", "executing"))

    assert isinstance(verdict, Lost)
    assert "agent 0: it broke" in verdict.why


def test_failures_that_are_ignored_are_facts_among_the_results() -> None:
    ignoring = order(supervision="ignore")

    assert judge(ignoring, team("failed", "executing", "succeeded")) == Waits([])
    assert judge(ignoring, team("failed", "failed", "succeeded")) == Decided()


def test_who_failed_is_started_anew_as_often_as_it_may_be() -> None:
    restarting = order(2, need=2, supervision="restart", restarts=1)
    once = [child(0, "failed"), child(1)]
    twice = [*once, child(0, "failed", 2)]

    assert judge(restarting, Team(once, 1, 0, 2)) == Waits([(0, 2)])
    assert isinstance(judge(restarting, Team(sorted(twice, key=lambda each: each.place), 1, 0, 3)), Lost)


def test_only_a_valid_result_is_a_good_one() -> None:
    first = order(2, need=1, join="first_valid", valid="contains(answer, 'maybe')")
    done = [child(0, "succeeded"), child(1)]

    assert judge(first, Team(done, 1, 0, 2)) == Waits([])
    assert judge(replace(first, valid="answer == 'yes'"), Team(done, 1, 0, 2)) == Decided()


def test_when_the_time_is_up_nobody_is_waited_for() -> None:
    verdict = judge(order(), team("succeeded", "executing", "succeeded", age=60))

    assert isinstance(verdict, Lost)
    assert "1 of 3 were not done in 60 s" in verdict.why
    assert judge(order(supervision="ignore"), team("succeeded", "executing", "succeeded", age=60)) == Decided()


def test_what_is_spent_is_started_under_the_next_number_and_good_results_are_kept() -> None:
    kept = [child(0, "succeeded"), child(1, "failed", spent=True), child(2, "cancelled", 3, spent=True)]

    assert judge(order(), Team(kept, 1, 0, 3)) == Waits([(1, 2), (2, 4)])


def test_a_detached_team_is_done_once_it_is_started() -> None:
    detached = order(detach=True)

    assert judge(detached, team()) == Waits([(0, 1), (1, 1), (2, 1)])
    assert judge(detached, team("executing", "executing", "executing")) == Decided()
