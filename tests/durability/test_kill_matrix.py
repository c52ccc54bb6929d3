"""SIGKILL at every boundary between a commit, a message and an effect, for every kind of step: the run ends all the
same, and the history checker finds nothing lost and nothing done twice.
"""

import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from services.failpoints import Failpoint
from services.journal import steps, surgery
from services.journal.runs import RunStatus, parse_id
from services.pipeline import operating
from tests import history_checker, runs
from tests.scripted_model import ScriptedModel, plan, text
from tests.stack import Stack

pytestmark = pytest.mark.slow

# One step of every kind, each after the one before; enough attempts for a death at each.
KINDS: list[dict[str, Any]] = [
    {"id": "pure", "tool": "echo", "arguments": {"value": 1}},
    {"id": "idempotent", "tool": "keyed_effect"},
    {"id": "verify", "tool": "verified_effect", "arguments": {"seconds": 0}},
    {"id": "unsafe", "tool": "unsafe_effect", "arguments": {"seconds": 0}},
    {"id": "waiting", "tool": "waits"},
    {"id": "retrying", "tool": "fails_at_first"},
    {"id": "last", "tool": "keyed_effect"},
]


def line(*ids: str) -> dict[str, Any]:
    chosen = [step for step in KINDS if not ids or step["id"] in ids]
    before = [[], *([step["id"]] for step in chosen)]
    return {
        "steps": [
            {**step, "retry": {"attempts": 10}, "dependsOn": needs} for step, needs in zip(chosen, before, strict=False)
        ]
    }


def armed(workers: Stack, kind: str, point: Failpoint, time: int = 1) -> subprocess.Popen[bytes]:
    """The only process of its kind, which will die there."""
    workers.kill(kind)
    return workers.start(kind, PERDURE_FAILPOINT=f"{point}:{time}")


def dies(workers: Stack, kind: str, process: subprocess.Popen[bytes]) -> None:
    """Wait for the death and start a fresh process."""
    assert process.wait(40) == -9
    workers.start(kind)


def in_doubt(run_id: str) -> list[str]:
    return [step.id for step in steps.of_run(parse_id(run_id)) if step.status == "in_doubt"]


def settle_doubts(run_id: str) -> list[str]:
    """Say of every step in doubt that it is done; returns those steps."""
    doubts = in_doubt(run_id)
    for step in doubts:
        operating.change_step(run_id, lambda at=step: surgery.resolve_as_done(runs.TENANT, run_id, at, 1))
    return doubts


@pytest.mark.parametrize(("point", "time", "deaths"), [(Failpoint.STEP_RAN, 2, 4), (Failpoint.STEP_FINISHED, 1, 6)])
def test_workers_that_die_one_after_the_other_at_every_kind_of_step_lose_and_double_nothing(
    workers: Stack, ledger: Path, point: Failpoint, time: int, deaths: int
) -> None:
    process = armed(workers, "execution", point, time)
    run_id = runs.start(line())
    died, doubts = 0, []
    while not runs.ended(run_id):
        runs.wait_until(
            lambda now=process: now.poll() is not None or runs.ended(run_id) or in_doubt(run_id), timeout=40
        )
        if process.poll() is not None:
            died += 1
            process = workers.start("execution", PERDURE_FAILPOINT=f"{point}:{time}")
        doubts += settle_doubts(run_id)

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert history_checker.faults([run_id], ledger) == []
    assert died >= deaths
    assert set(doubts) <= {"unsafe"}


# Each in a run of its own: where the planning, the execution and the reflection worker die.
THREE_DEATHS = [
    (Failpoint.PLAN_CLAIMED, Failpoint.EXECUTION_BEGUN, Failpoint.REFLECTION_CLAIMED),
    (Failpoint.PLAN_MADE, Failpoint.EXECUTION_OPENED, Failpoint.ANSWER_MADE),
    (Failpoint.PLAN_ACCEPTED, Failpoint.STEP_RAN, Failpoint.ANSWER_ACCEPTED),
    (None, Failpoint.STEP_FINISHED, Failpoint.MEMORIES_STORED),
    (None, Failpoint.STEP_HANDED_ON, Failpoint.RUN_ENDED),
]


@pytest.mark.parametrize(("planning", "execution", "reflection"), THREE_DEATHS)
def test_a_run_in_which_the_worker_of_each_phase_dies_ends_as_if_nothing_had_been(
    workers: Stack, ledger: Path, planning: Failpoint | None, execution: Failpoint, reflection: Failpoint
) -> None:
    points = {"planning": planning, "execution": execution, "reflection": reflection}
    processes = {kind: armed(workers, kind, point) for kind, point in points.items() if point}
    workers.wait_for_workers(list(processes))
    run_id = runs.start(request="What is 2 + 3?")
    for kind, process in processes.items():
        dies(workers, kind, process)

    assert "5" in (runs.wait_for(run_id).answer or "")
    assert history_checker.faults([run_id], ledger) == []


def test_a_planner_that_dies_in_the_middle_of_a_plan_leaves_what_it_took_to_the_next(
    workers: Stack, ledger: Path
) -> None:
    planned = [{"id": name, "tool": "keyed_effect", "arguments": {}} for name in "abcd"]
    with ScriptedModel(otherwise=plan({"steps": planned})) as model:
        environment = {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "sk-scripted"}
        workers.kill("planning")
        first = workers.start("planning", PERDURE_FAILPOINT=f"{Failpoint.PLAN_STEP_ADDED}:2", **environment)
        run_id = runs.start(request="Do four things")
        assert first.wait(40) == -9
        workers.start("planning", **environment)
        run = runs.wait_for(run_id)
        workers.kill("planning")

    assert run.status == RunStatus.SUCCEEDED
    assert [(step.id, step.attempt) for step in steps.of_run(run.id)] == [(name, 1) for name in "abcd"]
    assert history_checker.faults([run_id], ledger) == []
    assert "have been started" in model.chats[-1].said


def test_a_critic_that_dies_having_asked_for_a_better_plan_gets_it(workers: Stack, ledger: Path) -> None:
    fails = {"id": "b", "tool": "calculate", "arguments": {"expression": "1/0"}}
    failing = [{"id": "a", "tool": "keyed_effect"}, fails]
    better = [{"id": "c", "tool": "keyed_effect"}]
    with ScriptedModel([plan({"steps": failing}), plan({"steps": better}), text("Done.")]) as model:
        environment = {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "sk-scripted"}
        workers.kill("planning")
        workers.kill("reflection")
        workers.start("planning", **environment)
        critic = workers.start("reflection", PERDURE_FAILPOINT=Failpoint.REVISION_REQUESTED, **environment)
        run_id = runs.start(request="Do two things")
        assert critic.wait(40) == -9
        workers.start("reflection", **environment)
        run = runs.wait_for(run_id)
        workers.kill("planning")
        workers.kill("reflection")

    assert (run.status, run.answer) == (RunStatus.SUCCEEDED, "Done.")
    assert [(step.id, step.status, step.plan_revision) for step in steps.of_run(run.id)] == [
        ("a", "succeeded", 1),
        ("b", "failed", 1),
        ("c", "succeeded", 2),
    ]
    assert history_checker.faults([run_id], ledger) == []


@pytest.mark.parametrize(
    ("point", "kind"),
    [
        (Failpoint.STEP_TAKEN, "waiting"),
        (Failpoint.STEP_CLAIMED, "retrying"),
        (Failpoint.TIMER_WOKEN, "waiting"),
        (Failpoint.TIMER_WOKEN, "retrying"),
        (Failpoint.MEMBER_ADDED, "retrying"),
    ],
)
def test_a_step_that_comes_back_survives_the_death_of_who_wakes_it(
    workers: Stack, ledger: Path, point: Failpoint, kind: str
) -> None:
    process = armed(workers, "execution", point)
    workers.wait_for_workers(["execution"])
    run_id = runs.start(line("idempotent", kind, "last"))
    dies(workers, "execution", process)

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert history_checker.faults([run_id], ledger) == []


def test_a_run_whose_gateway_dies_before_it_answers_is_there_and_the_same_key_finds_it(
    workers: Stack, ledger: Path
) -> None:
    workers.start("web", PERDURE_FAILPOINT=Failpoint.RUN_CREATED)
    workers.wait_until_ready()
    body = {"plan": {"steps": [{"id": "s", "tool": "keyed_effect"}]}}
    key = {"Idempotency-Key": "once"}
    with pytest.raises(httpx2.TransportError):
        httpx2.post(f"{workers.url}/api/agent/start", json=body, headers=key)
    again = httpx2.post(f"{workers.url}/api/agent/start", json=body, headers=key)
    run_id = again.json()["workflowId"]
    workers.kill("web", signal.SIGTERM)

    assert again.status_code == 202
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert history_checker.faults([run_id], ledger) == []


def test_a_doubt_is_not_forgotten_by_the_death_of_who_wrote_it_down(workers: Stack, ledger: Path) -> None:
    process = armed(workers, "execution", Failpoint.STEP_LOST)
    run_id = runs.start({"steps": [{"id": "pay", "tool": "breaks_after_its_effect"}]})
    dies(workers, "execution", process)

    runs.wait_until(lambda: in_doubt(run_id))
    assert settle_doubts(run_id) == ["pay"]
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert history_checker.faults([run_id], ledger) == []


@pytest.mark.parametrize("point", [Failpoint.STEPS_SWEPT, Failpoint.PHASES_SWEPT])
def test_a_scheduler_that_dies_before_it_rings_is_made_up_for_by_the_next(
    workers: Stack, ledger: Path, point: Failpoint
) -> None:
    process = armed(workers, "scheduler", point)
    planned = runs.chain(2, tool="keyed_effect") if point == Failpoint.STEPS_SWEPT else None
    run_id = runs.start(planned, request=None if planned else "What is 2 + 3?", ring=False)
    dies(workers, "scheduler", process)

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert history_checker.faults([run_id], ledger) == []


def test_who_dies_while_giving_back_the_work_of_the_dead_has_given_it_back(workers: Stack, ledger: Path) -> None:
    for kind in ("planning", "reflection"):  # else they would notice the death first
        workers.kill(kind)
    process = armed(workers, "scheduler", Failpoint.WORKER_RELEASED)
    run_id = runs.start(runs.chain(1, seconds=3))
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "begin")["s0"] == 1)
    workers.kill("execution")
    dies(workers, "scheduler", process)
    workers.ensure("planning", "execution", "reflection")

    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED
    assert history_checker.faults([run_id], ledger) == []


def test_every_failpoint_is_tried_here() -> None:
    text = Path(__file__).read_text()

    assert [point for point in Failpoint if f"Failpoint.{point.name}" not in text] == []
