"""Runs moved by hand through the journal: real Postgres, no worker, so that a test decides what happens when."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from services import database
from services.journal import attempts, claims, events, plans, runs, steps, workers
from services.journal.claims import Claim, Finished, Room
from services.journal.plan_shape import Plan
from services.journal.steps import Step
from services.tools import catalogue
from services.tools.contract import Retry, Tool, ToolContext, tool
from tests import runs as test_runs

WORKER = test_runs.WORKER


@tool(effect="pure", retry=Retry(attempts=2, base=0, cap=0))
def say(text: str = "") -> str:
    """Say it again."""
    return text


@tool(effect="unsafe", retry=Retry(attempts=2, base=0, cap=0))
def pay(amount: int = 1) -> str:
    """Pay, once."""
    return "paid"


def _was_sent(context: ToolContext, to: str = "") -> str | None:
    return None


@tool(effect="verify", verify=_was_sent, retry=Retry(attempts=2, base=0, cap=0))
def send(to: str = "") -> str:
    """Send something that can be looked up afterwards."""
    return "sent"


TOOLS: list[Tool] = [say, pay, send]


@pytest.fixture
def tools(servers: Any) -> Iterator[dict[str, catalogue.ListedTool]]:
    """A catalogue of three tools, one for each kind of effect that matters here."""
    catalogue.register([("test", each) for each in TOOLS])
    workers.beat(WORKER, "execution", "test", 1, 1.0)
    yield catalogue.listed()
    catalogue.register([])
    workers.release(WORKER, "handed_back")


class Hand:
    """A run that this test moves itself. Its plan: (id, tool, depends_on, arguments) a step; with a request it is the
    offline brain's plan, else a caller's."""

    def __init__(
        self, *steps_of_it: tuple[Any, ...], request: str | None = None, required: bool = True, **more: Any
    ) -> None:
        self.id = str(runs.new_id())
        wire = Plan.model_validate({"steps": [self._step(*step) for step in steps_of_it]})
        rows = steps.rows_of(wire, catalogue.listed(), required=required, attempts=2)
        plan = {"brain": "offline", "source": "offline" if request else "caller", "note": None, "steps": rows}
        row = {"id": self.id, "tenant": test_runs.TENANT, "user_id": "ada", "conversation_id": f"c-{self.id}"}
        words = request or "Carry this out"  # a plan without a request would end with its last step
        runs.create({**row, "request": words, "plan": None if request else plan, **more})
        if request:
            phase = runs.claim_phase(self.id, "plan", WORKER)
            assert phase
            plans.complete(phase, plan)

    @staticmethod
    def _step(name: str, tool_name: str = "say", after: str = "", arguments: Any = None, **more: Any) -> dict[str, Any]:
        return {"id": name, "tool": tool_name, "arguments": arguments or {}, "dependsOn": after.split(), **more}

    def claim(self, step_id: str) -> Claim:
        claimed = claims.take(self.id, step_id, WORKER)
        assert claimed, f"{step_id} is not there to take: {self.statuses()}"
        return claimed[0]

    def succeed(self, *step_ids: str, output: Any = "done") -> None:
        for step_id in step_ids:
            test_runs.succeed(self.claim(step_id), output, room=Room(0))

    def finish(self, claim: Claim, output: Any = "done") -> Finished:
        """The attempt succeeds, and its worker goes on with the first step that this makes ready."""
        return test_runs.succeed(claim, output)

    def fail(self, step_id: str) -> None:
        error = {"detail": "it broke", "reason": "attempts_exhausted"}
        claims.finish(self.claim(step_id), "failed", worker=WORKER, error=error, room=Room(0))

    def lose(self, step_id: str, reason: str = "lost") -> None:
        database.call("lose_step", self.id, step_id, self.claim(step_id).fence, reason)

    def end(self, error: str | None = None) -> runs.Run:
        """Answer the settled run, so that it ends."""
        phase = runs.claim_phase(self.id, "reflect", WORKER)
        assert phase, f"the run is not settled: {self.statuses()}"
        failed = {"detail": error} if error else None
        runs.accept_answer(phase, {"answer": "the answer", "error": failed, "usage": {}, "remember": False})
        return self.run()

    def run(self) -> runs.Run:
        return runs.get(test_runs.TENANT, self.id)

    def step(self, step_id: str) -> Step:
        return next(step for step in steps.of_run(UUID(self.id)) if step.id == step_id)

    def statuses(self) -> dict[str, str]:
        return {step.id: step.status for step in steps.of_run(UUID(self.id))}

    def outcomes(self, step_id: str) -> list[str]:
        return [attempt.outcome for attempt in attempts.of_step(UUID(self.id), step_id)]

    def names(self) -> list[str]:
        return [event["name"] for event in events.after(UUID(self.id), 0)]

    def open_steps(self) -> int:
        """The run's count of open steps, checked against the steps themselves."""
        still_open = {"pending", "ready", "running", "waiting", "in_doubt"}
        counted = self.run().open_steps
        assert counted == sum(status in still_open for status in self.statuses().values())
        return counted


@pytest.fixture
def hand(tools: Any) -> type[Hand]:
    return Hand


class Existing(Hand):
    """A run that is there already, a fork for instance."""

    def __init__(self, run_id: str) -> None:
        self.id = run_id


@pytest.fixture
def existing(tools: Any) -> type[Existing]:
    return Existing
