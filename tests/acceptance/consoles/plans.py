"""Plans for the consoles' tests, the API beside the page, and waiting for what the page was asked to do."""

import time
from collections.abc import Callable
from typing import Any

from tests.acceptance.visits import Stack, read, start_run


def step(step_id: str, tool: str, *after: str, **arguments: Any) -> dict[str, Any]:
    """One step of a caller's plan."""
    return {"id": step_id, "tool": tool, "arguments": arguments, "dependsOn": list(after)}


def optional(planned: dict[str, Any]) -> dict[str, Any]:
    """The step as one whose failure does not fail the run."""
    return {**planned, "required": False}


def started(stack: Stack, *steps: dict[str, Any], **fields: Any) -> str:
    """Start a run of these steps; returns its id."""
    return start_run(stack, {"plan": {"steps": list(steps)}, **fields})


def until(condition: Callable[[], Any], timeout: float = 90) -> Any:
    """Wait for `condition()` to be true; returns what it gave."""
    end = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.05)
    return found


def statuses(stack: Stack, run_id: str) -> dict[str, str]:
    """The status of each step of a run."""
    return {each["id"]: each["status"] for each in read(stack, f"/api/runs/{run_id}")["steps"]}


def until_step(stack: Stack, run_id: str, step_id: str, status: str) -> None:
    """Wait until a step stands so."""
    until(lambda: statuses(stack, run_id).get(step_id) == status)


def until_ended(stack: Stack, run_id: str) -> dict[str, Any]:
    """Wait until the run has ended; returns it."""
    return until(lambda: (run := read(stack, f"/api/runs/{run_id}"))["finishedAt"] and run)


def letter_of(stack: Stack, run_id: str) -> dict[str, Any]:
    """The open dead letter of a run, once there is one."""
    return until(lambda: read(stack, f"/api/dead-letters?workflowId={run_id}")["items"])[0]
