"""Teams: children are owned whatever happens, finished results are kept, no worker is held meanwhile."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services import clock
from services.agents import agents
from services.failpoints import Failpoint
from services.journal import delegations, steps, why
from services.journal import runs as journal
from services.journal.runs import parse_id
from services.pipeline import operating
from tests import history_checker, runs
from tests.stack import Stack

HANGS = 60.0


def effect(seconds: float = 0.1) -> dict[str, Any]:
    """A member whose plan is one step with an effect that is noted."""
    return {"plan": {"steps": [{"id": "only", "tool": "slow_effect", "arguments": {"seconds": seconds}}]}}


def fails() -> dict[str, Any]:
    return {"plan": {"steps": [{"id": "only", "tool": "calculate", "arguments": {"expression": "1 / 0"}}]}}


def fails_late() -> dict[str, Any]:
    nap = {"id": "nap", "tool": "sleep", "arguments": {"seconds": 0.6}}
    bad = {"id": "only", "tool": "calculate", "arguments": {"expression": "1 / 0"}, "dependsOn": ["nap"]}
    return {"plan": {"steps": [nap, bad]}}


def sleeps(seconds: float) -> dict[str, Any]:
    return {"plan": {"steps": [{"id": "only", "tool": "sleep", "arguments": {"seconds": seconds}}]}}


def team(*members: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "team", "tool": "delegate", "arguments": {"agents": list(members), **more}}


def step(run_id: str, step_id: str = "team") -> steps.Step:
    return {one.id: one for one in steps.of_run(parse_id(run_id))}[step_id]


def family(run_id: str) -> list[dict[str, Any]]:
    return delegations.tree(runs.TENANT, run_id)


def all_ended(run_id: str) -> bool:
    return all(row["finishedAt"] for row in family(run_id))


def waiting(run_id: str) -> None:
    runs.wait_until(lambda: any(one.status == "waiting" for one in steps.of_run(parse_id(run_id))))


def statuses(run_id: str) -> list[str]:
    return [status for _, status in delegations.of_parent(parse_id(run_id))]


def test_an_agent_answers_and_the_next_step_uses_it(workers: Stack) -> None:
    agents.put(runs.TENANT, "adder", {"description": "Adds.", "tools": ["calc*"], "memory": "user"})
    plan = [
        {"id": "ask", "tool": "delegate", "arguments": {"agent": "adder", "request": "What is 2 + 3?"}},
        {"id": "say", "tool": "echo", "arguments": {"value": "It said: ${ask.answer}"}},
    ]
    run = runs.wait_for(runs.start({"steps": plan}))
    _, child = family(str(run.id))

    assert "5" in step(str(run.id), "say").output["value"]
    assert (child["agent"], child["stepId"], child["depth"], child["status"]) == ("adder", "ask", 1, "succeeded")
    assert [event["name"] for event in runs.history(str(run.id)) if event["name"].startswith("child")] == [
        "child.started",
        "child.ended",
    ]
    assert runs.history(child["workflowId"])[0]["data"]["parent"] == {"workflowId": str(run.id), "stepId": "ask"}


def test_the_offline_brain_asks_an_agent_that_exists(workers: Stack) -> None:
    agents.put(runs.TENANT, "adder", {"description": "Adds.", "tools": ["calc*"], "memory": "user"})
    run = runs.wait_for(runs.start(request="Ask the adder to work out 17 + 4"))

    assert "21" in (run.answer or "")
    assert [row["agent"] for row in family(str(run.id))] == [None, "adder"]


def test_a_step_that_waits_for_its_children_holds_no_worker_and_why_names_them(workers: Stack) -> None:
    run_id = runs.start({"steps": [team(sleeps(2), sleeps(2))]})
    waiting(run_id)
    found = why.explain(runs.TENANT, run_id)

    assert (found.kind, step(run_id).worker is None or step(run_id).status == "waiting") == (why.Kind.CHILDREN, True)
    assert "2 of 2 runs" in found.sentence
    assert runs.wait_for(run_id).status == "succeeded"


def test_a_team_of_five_of_which_one_hangs_ends_at_its_deadline_with_four_results(workers: Stack, ledger: Path) -> None:
    deadline = clock.now() + timedelta(seconds=4)
    plan = {"steps": [team(*[effect()] * 4, effect(HANGS))]}
    run_id = runs.start(plan, deadline=clock.to_wire(deadline) or "")
    run = runs.wait_for(run_id)
    runs.wait_until(lambda: all_ended(run_id))

    assert (run.status, (run.error or {})["reason"]) == ("failed", "deadline")
    assert run.finished_at and run.finished_at - deadline < timedelta(seconds=5)
    results = step(run_id).output["results"]
    assert [each["status"] for each in results[:4]] == ["succeeded"] * 4
    assert [each["outputs"]["only"]["step"] for each in results[:4]] == ["only"] * 4
    assert results[4]["status"] != "succeeded"
    assert (run.answer or "").count("only") == 4
    assert history_checker.faults([row["workflowId"] for row in family(run_id)], ledger) == []


KILLS = [
    ("execution", Failpoint.EXECUTION_BEGUN, 2),
    ("execution", Failpoint.STEP_CLAIMED, 1),
    ("execution", Failpoint.STEP_RAN, 1),
    ("execution", Failpoint.STEP_RAN, 4),
    ("execution", Failpoint.STEP_FINISHED, 1),
    ("execution", Failpoint.STEP_FINISHED, 3),
    ("execution", Failpoint.STEP_HANDED_ON, 1),
    ("reflection", Failpoint.REFLECTION_CLAIMED, 2),
    ("reflection", Failpoint.ANSWER_MADE, 1),
    ("reflection", Failpoint.ANSWER_ACCEPTED, 4),
    ("scheduler", Failpoint.STEPS_SWEPT, 1),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "point", "time"), KILLS)
def test_the_same_with_any_worker_killed_at_any_step(
    workers: Stack, ledger: Path, kind: str, point: Failpoint, time: int
) -> None:
    workers.kill(kind)
    armed = workers.start(kind, PERDURE_FAILPOINT=f"{point}:{time}")
    deadline = clock.now() + timedelta(seconds=15)
    run_id = runs.start({"steps": [team(*[effect()] * 4, effect(HANGS))]}, deadline=clock.to_wire(deadline) or "")
    runs.wait_until(lambda: armed.poll() is not None or runs.ended(run_id), timeout=60)
    workers.ensure(kind)
    run = runs.wait_for(run_id, timeout=60)
    runs.wait_until(lambda: all_ended(run_id), timeout=30)

    assert (run.error or {})["reason"] == "deadline"
    assert [each["status"] for each in step(run_id).output["results"][:4]] == ["succeeded"] * 4
    assert len(family(run_id)) == 6
    assert history_checker.faults([row["workflowId"] for row in family(run_id)], ledger) == []


def test_workers_killed_while_a_team_is_at_work_double_no_child(workers: Stack, ledger: Path) -> None:
    run_id = runs.start({"steps": [team(*[effect(0.5)] * 5)]})
    for _ in range(2):
        time.sleep(0.4)
        workers.kill("execution")
        workers.ensure("execution")
    run = runs.wait_for(run_id)

    assert run.status == "succeeded"
    assert len(family(run_id)) == 6
    assert history_checker.faults([row["workflowId"] for row in family(run_id)], ledger) == []


def test_the_first_good_result_decides_and_the_others_are_cancelled(workers: Stack) -> None:
    run_id = runs.start({"steps": [team(effect(), sleeps(300), fails(), join="any")]})
    run = runs.wait_for(run_id)
    runs.wait_until(lambda: all_ended(run_id))

    assert run.status == "succeeded"
    assert step(run_id).output["winners"] == [0]
    assert sorted(statuses(run_id)) in (["cancelled", "failed", "succeeded"], ["cancelled", "cancelled", "succeeded"])


def test_a_failure_escalates_and_a_retry_keeps_the_results_of_the_finished_siblings(workers: Stack) -> None:
    plan = {"steps": [team(effect(), fails_late())]}
    run_id = runs.start(plan)
    failed = runs.wait_for(run_id)
    fork_id = operating.fork(runs.TENANT, run_id)
    forked = runs.wait_for(fork_id)

    assert (failed.status, forked.status) == ("failed", "failed")
    assert "member 2: Step only (calculate) failed" in (failed.error or {})["detail"]
    tried = [(child.place, child.number) for child, _ in delegations.of_parent(parse_id(fork_id))]
    assert tried == [(1, 2)]  # what had succeeded is not done again


def test_who_fails_is_restarted_and_in_the_end_a_fact_where_failures_are_ignored(workers: Stack) -> None:
    restarted = runs.start({"steps": [team(effect(), fails(), supervision="restart", restarts=1)]})
    ignored = runs.start({"steps": [team(effect(), fails(), supervision="ignore")]})
    first, second = runs.wait_for(restarted), runs.wait_for(ignored)

    assert (first.status, second.status) == ("failed", "succeeded")
    assert [(c.place, c.number) for c, _ in delegations.of_parent(first.id)] == [(0, 1), (1, 1), (1, 2)]
    results = step(ignored).output["results"]
    assert [each["status"] for each in results] == ["succeeded", "failed"]
    assert "1 / 0" in results[1]["error"] or "zero" in results[1]["error"].lower()


def test_cancelling_pausing_and_resuming_flow_down_through_all_levels(workers: Stack) -> None:
    inner = {"plan": {"steps": [{"id": "inner", "tool": "delegate", "arguments": sleeps(300)}]}}
    run_id = runs.start({"steps": [team(inner)]})
    runs.wait_until(lambda: len(family(run_id)) == 3)
    operating.pause(runs.TENANT, run_id)
    paused = [row["status"] for row in family(run_id)]
    operating.resume(runs.TENANT, run_id)
    runs.wait_until(lambda: [row["status"] for row in family(run_id)] == ["executing"] * 3)
    operating.cancel(runs.TENANT, run_id)
    runs.wait_until(lambda: all_ended(run_id))

    assert paused == ["paused"] * 3
    assert [row["status"] for row in family(run_id)] == ["cancelled"] * 3


def test_a_detached_child_outlives_its_parent(workers: Stack) -> None:
    run_id = runs.start({"steps": [team(sleeps(2), detach=True)]})
    run = runs.wait_for(run_id)
    alive = statuses(run_id)
    runs.wait_until(lambda: all_ended(run_id))

    assert run.status == "succeeded"
    assert alive != ["succeeded"]
    assert statuses(run_id) == ["succeeded"]


def test_children_draw_on_their_parents_budget(workers: Stack) -> None:
    members = [{"plan": runs.chain(3, "noop")} for _ in range(3)]
    row = {"limits": {"steps": 5}, "onExceed": "stop"}
    run_id = runs.start({"steps": [team(*members, supervision="ignore")]}, budget=row)
    runs.wait_for(run_id)
    ended = [one.status for child, _ in delegations.of_parent(parse_id(run_id)) for one in steps.of_run(child.child_id)]

    assert ended.count("succeeded") == 4  # one of the five is the parent's own step


def test_depth_and_breadth_have_limits_that_are_named(workers: Stack) -> None:
    nested: dict[str, Any] = {"plan": {"steps": [{"id": "end", "tool": "noop"}]}}
    for _ in range(6):
        nested = {"plan": {"steps": [{"id": "d", "tool": "delegate", "arguments": nested}]}}
    deep = runs.wait_for(runs.start(nested["plan"]))
    wide = runs.wait_for(runs.start({"steps": [team(*[effect()] * 101)]}))

    assert "PERDURE_MAX_DELEGATION_DEPTH" in (deep.error or {})["detail"]
    assert "PERDURE_MAX_TEAM" in (wide.error or {})["detail"]
    assert len(family(str(wide.id))) == 1


def test_an_agent_that_does_not_exist_fails_with_those_that_do(workers: Stack) -> None:
    agents.put(runs.TENANT, "writer", {"description": "Writes."})
    run = runs.wait_for(runs.start({"steps": [team({"agent": "nobody", "request": "Hi"})]}))

    assert "There is no agent 'nobody'" in (run.error or {})["detail"]
    assert "writer" in (run.error or {})["detail"]


def test_references_into_a_childs_own_plan_are_doubled(workers: Stack) -> None:
    inner = [
        {"id": "a", "tool": "echo", "arguments": {"value": "${first.value}"}},
        {"id": "b", "tool": "echo", "arguments": {"value": "$${a.value}!"}},
    ]
    plan = [
        {"id": "first", "tool": "echo", "arguments": {"value": "hello"}},
        {"id": "team", "tool": "delegate", "arguments": {"plan": {"steps": inner}}},
    ]
    run = runs.wait_for(runs.start({"steps": plan}))

    assert run.status == "succeeded", run.error
    assert step(str(run.id)).output["outputs"] == {"b": {"value": "hello!", "text": "hello!"}}


def test_what_a_child_reads_outside_taints_the_whole_family(workers: Stack) -> None:
    reads = {"plan": {"steps": [{"id": "r", "tool": "reads_outside"}]}}
    plan = {
        "steps": [
            team(reads),
            {"id": "act", "tool": "unsafe_effect", "arguments": {"seconds": 0}, "dependsOn": ["team"]},
        ]
    }
    run_id = runs.start(plan)
    runs.wait_until(lambda: step(run_id, "act").status == "waiting")
    journal.request_cancel(runs.TENANT, run_id)

    assert why.explain(runs.TENANT, run_id).kind in {why.Kind.APPROVAL, why.Kind.ENDED}


def test_messages_between_the_runs_of_a_tree_are_kept_and_read_once(workers: Stack) -> None:
    def says(text: str) -> dict[str, Any]:
        return {"plan": {"steps": [{"id": "say", "tool": "send_message", "arguments": {"message": text}}]}}

    plan = [
        {"id": "team", "tool": "delegate", "arguments": {"agents": [says("one"), says("two")]}},
        {"id": "first", "tool": "read_messages", "arguments": {"timeout": 20}},
        {"id": "second", "tool": "read_messages", "arguments": {"timeout": 0.5}, "dependsOn": ["first", "team"]},
    ]
    plan[1]["dependsOn"] = ["team"]
    run = runs.wait_for(runs.start({"steps": plan}))
    read, nothing = step(str(run.id), "first").output, step(str(run.id), "second").output

    assert run.status == "succeeded", run.error
    assert sorted(each["message"] for each in read["messages"]) == ["one", "two"]
    assert (nothing["messages"], nothing["timedOut"]) == ([], True)


def test_a_message_wakes_who_waits_for_it_and_goes_to_nobody_outside_of_the_tree(workers: Stack) -> None:
    agents.put(runs.TENANT, "listener", {"description": "Listens.", "memory": "none"})
    listens = {
        "agent": "listener",
        "plan": {"steps": [{"id": "hear", "tool": "read_messages", "arguments": {"timeout": 30}}]},
    }
    tells = {"id": "tell", "tool": "send_message", "arguments": {"to": "listener", "message": {"go": True}}}
    speaks = {
        "plan": {
            "steps": [{"id": "nap", "tool": "sleep", "arguments": {"seconds": 0.5}}, tells | {"dependsOn": ["nap"]}]
        }
    }
    run = runs.wait_for(runs.start({"steps": [team(listens, speaks)]}))
    outside = runs.wait_for(runs.start({"steps": [tells]}))

    assert run.status == "succeeded", run.error
    assert step(str(run.id)).output["results"][0]["outputs"]["hear"]["messages"][0]["message"] == {"go": True}
    assert (outside.status, "no living run" in (outside.error or {})["detail"]) == ("failed", True)
