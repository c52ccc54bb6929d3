"""How the page folds a run's events into what it shows."""

from typing import Any

import pytest

from tests.acceptance.visits import OpenPage

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

FOLD = """
async ([events, snapshot]) => {
  const { combined, emptyRun, folded, fromSnapshot } = await import("/static/run_state.mjs");
  const numbered = events.map((event, at) => ({ seq: at + 1, at: `2026-01-01T00:00:0${at}.000Z`, ...event }));
  const run = numbered.reduce(folded, emptyRun("r"));
  return combined(snapshot && fromSnapshot(snapshot), run);
}
"""
PLAN = {
    "name": "plan.created",
    "data": {
        "revision": 1,
        "steps": [
            {"id": "s1", "tool": "echo", "arguments": {}, "dependsOn": []},
            {"id": "s2", "tool": "echo", "arguments": {}, "dependsOn": ["s1"]},
        ],
    },
}


def _folded(open_page: OpenPage, events: list[dict[str, Any]], snapshot: dict[str, Any] | None = None) -> Any:
    return open_page().evaluate(FOLD, [events, snapshot])


def test_a_step_is_ready_when_its_last_dependency_has_settled(open_page: OpenPage) -> None:
    run = _folded(
        open_page,
        [
            PLAN,
            {"name": "step.started", "stepId": "s1", "data": {"attempt": 1}},
            {"name": "step.succeeded", "stepId": "s1", "data": {"attempt": 1, "output": 7}},
        ],
    )

    first, second = run["steps"]
    assert (first["status"], first["output"]) == ("succeeded", 7)
    assert (second["status"], second["readyAt"]) == ("ready", "2026-01-01T00:00:02.000Z")


def test_a_higher_attempt_replaces_the_answer_so_far(open_page: OpenPage) -> None:
    texts = [("Half an ans", 1), ("The ", 2), ("late echo", 1), ("answer", 2)]
    run = _folded(
        open_page, [{"name": "answer.delta", "data": {"text": text, "attempt": attempt}} for text, attempt in texts]
    )

    assert run["answer"] == "The answer"


def test_a_retry_shows_its_error_and_when_it_is_due(open_page: OpenPage) -> None:
    error = {"detail": "The host does not answer."}
    run = _folded(
        open_page,
        [
            PLAN,
            {"name": "step.started", "stepId": "s1", "data": {"attempt": 1}},
            {"name": "step.retrying", "stepId": "s1", "data": {"error": error, "dueAt": "2026-01-01T00:00:09.000Z"}},
        ],
    )

    step = run["steps"][0]
    assert (step["status"], step["error"], step["dueAt"]) == ("ready", error["detail"], "2026-01-01T00:00:09.000Z")


def test_unknown_events_do_no_harm(open_page: OpenPage) -> None:
    run = _folded(open_page, [PLAN, {"name": "step.levitated", "stepId": "s1"}, {"name": "moon.risen", "data": {}}])

    assert run["seq"] == 3
    assert [step["status"] for step in run["steps"]] == ["ready", "pending"]


def test_the_journal_has_the_last_word_on_a_finished_run(open_page: OpenPage) -> None:
    snapshot = {
        "id": "r",
        "status": "succeeded",
        "answer": "Done.",
        "brain": "offline",
        "plan": {"revision": 1, "steps": PLAN["data"]["steps"]},
        "steps": [{"id": "s1", "tool": "echo", "status": "succeeded", "readyAt": "2026-01-01T00:00:00.500Z"}],
    }
    run = _folded(open_page, [PLAN, {"name": "run.succeeded", "data": {"answer": "Done."}}], snapshot)

    assert run["brain"] == "offline"
    assert run["steps"][0]["readyAt"] == "2026-01-01T00:00:00.500Z"
    assert run["steps"][0]["dependsOn"] == []


def test_a_live_run_is_shown_as_far_as_its_events_go(open_page: OpenPage) -> None:
    stale = {"id": "r", "status": "queued", "request": "Echo", "steps": []}
    run = _folded(open_page, [PLAN, {"name": "step.started", "stepId": "s1", "data": {"attempt": 1}}], stale)

    assert (run["status"], run["request"]) == ("executing", "Echo")
    assert [step["status"] for step in run["steps"]] == ["running", "pending"]


def test_nothing_is_ready_in_a_paused_run(open_page: OpenPage) -> None:
    paused = [PLAN, {"name": "run.paused", "data": {}}]
    held, resumed = (_folded(open_page, events) for events in (paused, [*paused, {"name": "run.resumed", "data": {}}]))

    assert (held["status"], [step["status"] for step in held["steps"]]) == ("paused", ["pending", "pending"])
    assert (resumed["status"], [step["status"] for step in resumed["steps"]]) == ("executing", ["ready", "pending"])


def test_a_reopened_step_forgets_its_failure_even_where_the_journal_told_of_it_before(open_page: OpenPage) -> None:
    failed = {"id": "s1", "tool": "echo", "status": "failed", "error": {"detail": "Broken."}, "attempts": 1}
    run = _folded(
        open_page,
        [
            PLAN,
            {"name": "step.started", "stepId": "s1", "data": {"attempt": 1}},
            {"name": "step.failed", "stepId": "s1", "data": {"error": {"detail": "Broken."}}},
            {"name": "step.skipped", "stepId": "s2", "data": {"because": "step s1 failed"}},
            {"name": "step.reopened", "stepId": "s1", "data": {"how": "rerun", "arguments": {"value": 2}}},
            {"name": "step.reopened", "stepId": "s2", "data": {"how": "revived"}},
        ],
        {"id": "r", "status": "executing", "steps": [failed]},
    )

    first, second = run["steps"]
    assert (first["status"], first["arguments"], first.get("error")) == ("ready", {"value": 2}, None)
    assert (second["status"], second.get("because")) == ("pending", None)


def test_a_step_in_doubt_holds_back_what_follows_and_a_person_lets_it_go(open_page: OpenPage) -> None:
    doubt = [PLAN, {"name": "step.in_doubt", "stepId": "s1", "data": {"error": {"detail": "Who knows?"}}}]
    skipped = {"name": "step.skipped", "stepId": "s1", "data": {"because": "a person skipped it"}}
    held, freed = (_folded(open_page, events) for events in (doubt, [*doubt, skipped]))

    assert [step["status"] for step in held["steps"]] == ["in_doubt", "pending"]
    assert held["steps"][0]["error"] == "Who knows?"
    assert [step["status"] for step in freed["steps"]] == ["skipped", "ready"]
