"""A deploy that changes tools: what it would break of the live runs is told before, and the others go on."""

import json
import os
import subprocess
import sys
from typing import Any

from services.journal import plans, steps
from services.journal import runs as journal
from services.journal.runs import parse_id
from tests import runs
from tests.stack import ROOT, Stack

NAP = {"id": "nap", "tool": "wait_for_event", "arguments": {"event": "never", "timeout": 300}}


def after_a_nap(name: str, tool: str, **arguments: Any) -> dict[str, Any]:
    return {"id": name, "tool": tool, "arguments": arguments, "dependsOn": ["nap"]}


def checked(run_id: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """The exit code of `perdure deploy-check` with the next tools, and what it says of this run, by step."""
    environment = {**os.environ, "PERDURE_TOOLS": "tests.next_tools", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "gateway.command_line", "deploy-check", "--json", "--all"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    mine = {each["stepId"]: (each["severity"], each["detail"]) for each in told if each["workflowId"] == run_id}
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, mine


def test_what_a_deploy_would_break_is_told_before_and_what_it_can_read_goes_on(workers: Stack) -> None:
    coming = [
        after_a_nap("renamed", "keyed_effect", seconds=0.1),
        after_a_nap("effect", "slow_effect"),
        after_a_nap("arguments", "fails_at_first", times=1),
        after_a_nap("gone", "waits", seconds=1),
        after_a_nap("more", "reads_outside", text="x"),
        after_a_nap("same", "noop"),
    ]
    run_id = runs.start({"steps": [NAP, *coming]})
    fine = runs.start({"steps": [NAP, coming[0]]})
    for each in (run_id, fine):
        runs.wait_until(lambda at=each: any(one.status == "waiting" for one in steps.of_run(parse_id(at))))
    versions = plans.newest(parse_id(run_id))
    code, told = checked(run_id)
    workers.kill("execution")
    workers.start("execution", PERDURE_TOOLS="tests.next_tools")
    workers.wait_for_workers(["execution"])
    signalled = _end_the_nap(fine)
    went_on = runs.wait_for(fine)
    workers.kill("execution")
    workers.ensure("execution")
    journal.request_cancel(runs.TENANT, run_id)

    assert code == 1
    assert {name: severity for name, (severity, _) in told.items()} == {
        "renamed": "migrated",
        "effect": "breaks",
        "arguments": "breaks",
        "gone": "breaks",
        "more": "changed",
    }
    assert "was idempotent and is unsafe" in told["effect"][1]
    assert versions and set(versions.tools) == {"wait_for_event", *(step["tool"] for step in coming)}
    assert signalled and went_on.status == "succeeded"
    assert {step.id: step.output for step in steps.of_run(went_on.id)}["renamed"] == {"step": "renamed", "pause": 0.1}


def _end_the_nap(run_id: str) -> bool:
    from services.journal import signals
    from services.pipeline import operating

    _, woken = signals.send(runs.TENANT, "never", None, run_id=run_id)
    for each in woken:
        operating.carry_on(each.run_id, each.changed)
    return bool(woken)
