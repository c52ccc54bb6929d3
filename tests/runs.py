"""Starting runs straight at the journal, waiting for their end, and checking what must hold of every ended run."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

from services.journal import claims, events, plan_rules, runs, steps
from services.journal.claims import Claim, Done, Finished, Room
from services.journal.event_names import TERMINAL
from services.pipeline import phases
from services.tools import catalogue

TENANT = "default"
WORKER = "execution@test:1:1.00"


def start(plan: dict[str, Any] | None = None, request: str | None = None, *, ring: bool = True, **more: Any) -> str:
    """A committed run; with ring=False its first message is lost."""
    run_id = str(runs.new_id())
    row = {"id": run_id, "tenant": TENANT, "user_id": "ada", "conversation_id": f"c-{run_id}", **more}
    runs.create({**row, "request": request, "plan": written(plan) if plan else None})
    if ring:
        phases.start(run_id, planned=plan is not None)
    return run_id


def done(claim: Claim, output: Any = "done", *, claimed: bool = True, given: Any = None) -> Done:
    """A successful attempt that took no time; claimed=False: run ahead."""
    return Done(claim, claimed, given, output, time.monotonic(), time.monotonic())


def succeed(claim: Claim, output: Any = "done", *, given: Any = None, room: Room | None = None) -> Finished:
    """The claimed attempt's success, recorded by the worker that claimed it."""
    finished = claims.complete([done(claim, output, given=given)], worker=WORKER, room=room or Room(1))
    assert finished is not None
    return finished


def written(plan: dict[str, Any]) -> dict[str, Any]:
    """A plan as the gateway writes it for a caller."""
    rows = steps.rows_of(plan_rules.parse(plan), catalogue.listed(), required=True, attempts=3)
    return {"brain": "offline", "source": "caller", "note": None, "steps": rows}


def wait_for(run_id: str, timeout: float = 45) -> runs.Run:
    """The run once it has ended. Fails with where it stands when it has not ended in time."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        run = runs.get(TENANT, run_id)
        if run.finished_at:
            return run
        time.sleep(0.02)
    raise AssertionError(f"Run {run_id} is still {run.status}, phase {run.phase}, {run.open_steps} steps open")


def ended(run_id: str) -> bool:
    """Whether the run has ended."""
    return runs.get(TENANT, run_id).finished_at is not None


def wait_until(condition: Any, timeout: float = 20) -> None:
    """Until `condition()` holds."""
    until = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < until, "the condition did not come true in time"
        time.sleep(0.02)


def history(run_id: str) -> list[dict[str, Any]]:
    """All events of a run, checked: numbered 1, 2, 3 …, the last and only the last is terminal, no step ended twice
    unless a person had it run again."""
    found = events.after(runs.parse_id(run_id), 0, limit=100_000)
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    assert [event["name"] in TERMINAL for event in found].count(True) == 1
    assert found[-1]["name"] in TERMINAL
    ends = Counter(event["stepId"] for event in found if event["name"] in {"step.succeeded", "step.failed"})
    ends.subtract(event["stepId"] for event in found if event["name"] == "step.reopened")
    assert not [step for step, times in ends.items() if times > 1]
    return found


def ledger(path: Path, run_id: str, what: str) -> Counter[str]:
    """How often each step of a run noted `what` in the side effect ledger."""
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return Counter(step for run, step, _attempt, noted, _at in lines if run == run_id and noted == what)


def chain(length: int, tool: str = "slow_effect", **arguments: Any) -> dict[str, Any]:
    """A plan whose steps follow each other."""
    return {
        "steps": [
            {"id": f"s{n}", "tool": tool, "arguments": arguments, "dependsOn": [f"s{n - 1}"] if n else []}
            for n in range(length)
        ]
    }


def fan(width: int, tool: str = "slow_effect", **arguments: Any) -> dict[str, Any]:
    """A plan of parallel steps and one that joins them."""
    steps: list[dict[str, Any]] = [{"id": f"s{n}", "tool": tool, "arguments": arguments} for n in range(width)]
    return {"steps": [*steps, {"id": "join", "tool": "noop", "dependsOn": [step["id"] for step in steps]}]}
