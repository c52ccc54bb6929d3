"""A caller's plan without a request ends in the commit of its last step; where a step failed, reflection has a word."""

from typing import Any
from uuid import UUID

import orjson
import pytest

from services.journal import claims, events, runs, steps, surgery
from services.journal.claims import Room
from tests import runs as test_runs
from tests.runs import TENANT, WORKER


def begun(*steps_of_it: dict[str, Any]) -> str:
    return test_runs.start({"steps": list(steps_of_it)}, ring=False)


def step(name: str, *after: str) -> dict[str, Any]:
    return {"id": name, "tool": "say", "arguments": {}, "dependsOn": list(after)}


def succeed(run_id: str, step_id: str, output: Any) -> None:
    claim = claims.take(run_id, step_id, WORKER)[0]
    test_runs.succeed(claim, output, room=Room(0))


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ({"text": "42", "value": 42}, "42"),
        ("plain", "plain"),
        ({"value": 1}, '{"value": 1}'),
        (None, "null"),
        ("", '""'),
    ],
)
def test_the_answer_is_the_output_of_the_one_last_step(tools: Any, output: Any, answer: str) -> None:
    run_id = begun(step("a"), step("b", "a"))
    succeed(run_id, "a", "for b alone")
    succeed(run_id, "b", output)
    run = runs.get(TENANT, run_id)
    names = [event["name"] for event in events.after(UUID(run_id), 0)]

    assert (run.status, run.answer, run.phase) == ("succeeded", answer, None)
    assert names[-3:] == ["step.succeeded", "answer.completed", "run.succeeded"]


def test_several_last_steps_make_json_by_step(tools: Any) -> None:
    run_id = begun(step("z"), step("a"))
    succeed(run_id, "a", {"text": "one"})
    succeed(run_id, "z", [2])

    assert orjson.loads(runs.get(TENANT, run_id).answer or "") == {"z": [2], "a": {"text": "one"}}


def test_where_a_step_failed_reflection_ends_it(tools: Any) -> None:
    run_id = begun(step("a") | {"required": False}, step("b"))
    claim = claims.take(run_id, "a", WORKER)[0]
    error = {"detail": "it broke", "reason": "failed"}
    claims.finish(claim, "failed", worker=WORKER, error=error, room=Room(0))
    succeed(run_id, "b", "done")

    assert {one.id: one.status for one in steps.of_run(UUID(run_id))} == {"a": "failed", "b": "succeeded"}
    assert runs.claim_phase(run_id, "reflect", WORKER) is not None


def test_a_paused_run_ends_once_it_goes_on(tools: Any) -> None:
    run_id = begun(step("a"))
    claim = claims.take(run_id, "a", WORKER)[0]
    surgery.pause(TENANT, run_id)
    test_runs.succeed(claim, "done", room=Room(0))
    paused = runs.get(TENANT, run_id)
    surgery.resume(TENANT, run_id)

    assert paused.finished_at is None
    assert runs.claim_phase(run_id, "reflect", WORKER) is not None
