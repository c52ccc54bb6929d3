"""What was given up is found again, with its reason, and taken care of once: one by one or all that fit."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services import clock
from services.errors import Conflict, NotFound
from services.journal import dead_letters, forks, runs
from services.journal.dead_letters import Filter
from services.pipeline import operating
from tests.runs import TENANT


def letters_of(run: Any, **more: Any) -> list[dead_letters.DeadLetter]:
    return dead_letters.listed(TENANT, Filter(run_id=UUID(run.id), **more), limit=9)


def broken(hand: Any, **more: Any) -> Any:
    run = hand(("a",), ("b", "say", "a"), **more)
    run.fail("a")
    run.end("a failed")
    return run


def test_poison_and_given_up_phases_are_dead_letters_too(hand: Any) -> None:
    poisoned = hand(("a",))
    poisoned.lose("a")
    poisoned.lose("a")
    unanswered = hand(("a",))
    unanswered.succeed("a")
    phase = runs.claim_phase(unanswered.id, "reflect", "w")
    assert phase
    runs.fail_phase(phase, detail="no model", retry_in=None)

    (letter,) = letters_of(poisoned)
    assert (letter.reason, letter.step_id, letter.tool, letter.phase) == ("poison", "a", "say", None)
    (letter,) = letters_of(unanswered)
    assert (letter.reason, letter.step_id, letter.phase) == ("phase_failed", None, "reflect")
    assert letter.error == {"detail": "no model"}


def test_letters_are_found_by_reason_tool_label_and_time(hand: Any) -> None:
    run = broken(hand, labels={"team": "red", "env": "test"})
    now = clock.now()
    mine = {"run_id": UUID(run.id)}
    fitting = [
        Filter(**mine, reason="attempts_exhausted"),
        Filter(**mine, tool="say"),
        Filter(**mine, labels={"team": "red"}),
        Filter(**mine, since=now - timedelta(minutes=1), until=now + timedelta(minutes=1)),
    ]
    others = [
        Filter(**mine, reason="poison"),
        Filter(**mine, tool="pay"),
        Filter(**mine, labels={"team": "blue"}),
        Filter(**mine, since=now + timedelta(minutes=1)),
        Filter(**mine, resolved=True),
    ]

    assert [dead_letters.count(TENANT, wanted) for wanted in fitting] == [1, 1, 1, 1]
    assert [dead_letters.count(TENANT, wanted) for wanted in others] == [0, 0, 0, 0, 0]
    assert dead_letters.count("other", fitting[0]) == 0


def test_pages_follow_each_other_without_a_gap(hand: Any) -> None:
    made = [broken(hand, labels={"page": "test"}) for _ in range(5)]
    wanted = Filter(labels={"page": "test"})
    first = dead_letters.listed(TENANT, wanted, limit=3)
    second = dead_letters.listed(TENANT, wanted, limit=3, before=(first[-1].at, first[-1].id))

    assert [str(letter.run_id) for letter in first + second] == [run.id for run in reversed(made)]


def test_resuming_forks_the_ended_run_and_resolves_its_letter_once(hand: Any, existing: Any) -> None:
    run = broken(hand)
    (letter,) = letters_of(run)
    settled = operating.settle_letter(TENANT, letter, "resume")

    assert settled.run_id and existing(settled.run_id).statuses() == {"a": "ready", "b": "pending"}
    after = dead_letters.get(TENANT, str(letter.id))
    assert (after.resolution, after.successor) == ("resumed", UUID(settled.run_id))
    with pytest.raises(Conflict, match="before"):
        operating.settle_letter(TENANT, letter, "resume")
    with pytest.raises(Conflict, match="before"):
        operating.settle_letter(TENANT, letter, "discard")


def test_resuming_retries_in_place_while_the_run_lives(hand: Any) -> None:
    run = hand(("a",), ("b",))
    run.claim("b")
    run.fail("a")
    settled = operating.settle_letter(TENANT, letters_of(run)[0], "resume")

    assert settled.run_id == run.id
    assert run.statuses() == {"a": "ready", "b": "running"}


def test_restarting_begins_anew(hand: Any, existing: Any) -> None:
    run = broken(hand, request="Say it.")
    settled = operating.settle_letter(TENANT, letters_of(run)[0], "restart")

    assert settled.run_id and existing(settled.run_id).run().phase == "plan"


def test_a_dry_run_names_what_would_be_done_and_does_nothing(hand: Any) -> None:
    made = {broken(hand, labels={"bulk": "dry"}).id for _ in range(3)}
    wanted = Filter(labels={"bulk": "dry"})
    named = operating.settle_letters(TENANT, wanted, "resume", dry_run=True)

    assert {str(each.letter.run_id) for each in named} == made
    assert dead_letters.count(TENANT, wanted) == 3


def test_a_bulk_resumes_each_run_once_however_many_of_its_steps_failed(hand: Any) -> None:
    run = hand(("a",), ("b",), labels={"bulk": "wet"}, required=False)
    run.fail("a")
    run.fail("b")
    run.end("both failed")
    wanted = Filter(labels={"bulk": "wet"})
    done = operating.settle_letters(TENANT, wanted, "resume", dry_run=False)

    assert [each.refused for each in done] == [None]
    assert dead_letters.count(TENANT, wanted) == 0
    assert operating.settle_letters(TENANT, wanted, "resume", dry_run=False) == []


def test_discarding_in_bulk_leaves_the_runs_alone(hand: Any) -> None:
    run = broken(hand, labels={"bulk": "discard"})
    before = run.names()
    operating.settle_letters(TENANT, Filter(labels={"bulk": "discard"}), "discard", dry_run=False)

    assert letters_of(run) == []
    assert letters_of(run, resolved=True)[0].resolution == "discarded"
    assert run.names() == before


def test_a_letter_of_another_tenant_does_not_exist(hand: Any) -> None:
    (letter,) = letters_of(broken(hand))

    with pytest.raises(NotFound):
        dead_letters.get("other", str(letter.id))
    with pytest.raises(NotFound):
        dead_letters.get(TENANT, "no-id")


def test_many_hands_at_once_resume_a_run_once(hand: Any) -> None:
    run = broken(hand)
    (letter,) = letters_of(run)

    def resume(_: int) -> bool:
        try:
            operating.settle_letter(TENANT, letter, "resume")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        resumed = list(pool.map(resume, range(16)))

    assert resumed.count(True) == 1
    assert len(forks.lineage(run.run()).forks) == 1
