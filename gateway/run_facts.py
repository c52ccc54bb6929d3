"""/api/runs/{id}/…: where a run comes from, what it waits on, how two differ, every attempt; and all doubts."""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, declare, queries, run_parts, wire
from gateway.declare import Page
from gateway.fields import Id, Time
from gateway.run_parts import StepAttempt
from gateway.wire import RunSummary, ShownAttempt, StepInFull
from services import clock
from services.journal import attempts, diffs, forks, runs, steps, why
from services.journal.diffs import Change

blueprint = Blueprint("run_facts", __name__)


class Lineage(TypedDict):
    """Where a run comes from (the nearest first), and the forks made of it (the oldest first)."""

    ancestors: list[RunSummary]
    forks: list[RunSummary]


class RunWhy(TypedDict):
    """The one thing that a run waits on. dueAt: when that ends by itself, if it says so."""

    kind: why.Kind
    sentence: str
    stepId: str | None
    worker: str | None
    since: Time | None
    dueAt: Time | None


StepDiff = TypedDict("StepDiff", {"id": str, "in": str, "shared": bool, "changes": list[Change]})
StepDiff.__doc__ = (
    "A step that is only in `a`, only in `b`, or in both and different. shared: one took over the other's result."
)


class Compared(TypedDict):
    """What is different between two runs. same: the ids of the steps that are not."""

    a: RunSummary
    b: RunSummary
    changes: list[Change]
    steps: list[StepDiff]
    same: list[str]


class Doubt(StepInFull):
    """A step in doubt, with its run."""

    workflowId: Id


class Doubts(queries.Query):
    """A page of them."""

    limit: int = queries.limit(200, 1_000)
    cursor: Annotated[str, Field(pattern=r"^([0-9]{1,17}-[0-9a-f]{32}-.{1,200})?$")] | None = None


@blueprint.get("/api/runs/<run_id>/lineage")
@declare.operation(gives=Lineage)
def lineage(run_id: str) -> Response:
    """The runs that this one was forked from (nearest first), and those forked from it."""
    line = forks.lineage(runs.get(_tenant(), run_id))
    return wire.reply(
        {
            "ancestors": [wire.run_summary(run) for run in line.ancestors],
            "forks": [wire.run_summary(run) for run in line.forks],
        }
    )


@blueprint.get("/api/runs/<run_id>/why")
@declare.operation(gives=RunWhy)
def explain(run_id: str) -> Response:
    """The one thing that the run waits on: a sentence for people, a kind for programs."""
    found = why.explain(_tenant(), run_id)
    return wire.reply(
        {
            "kind": found.kind,
            "sentence": found.sentence,
            "stepId": found.step_id,
            "worker": found.worker,
            "since": clock.to_wire(found.since),
            "dueAt": clock.to_wire(found.due_at),
        }
    )


@blueprint.get("/api/runs/<run_a>/diff/<run_b>")
@declare.operation(gives=Compared)
def diff(run_a: str, run_b: str) -> Response:
    """What is different between two runs, field by field and step by step."""
    found = diffs.diff(_tenant(), run_a, run_b)
    return wire.reply(
        {
            "a": wire.run_summary(found.a),
            "b": wire.run_summary(found.b),
            "changes": [vars(change) for change in found.changes],
            "steps": [
                {
                    "id": step.step_id,
                    "in": step.where,
                    "shared": step.shared,
                    "changes": [vars(change) for change in step.changes],
                }
                for step in found.steps
            ],
            "same": found.same,
        }
    )


@blueprint.get("/api/doubts")
@declare.operation(query=Doubts, gives=Page[Doubt])
def doubts() -> Response:
    """The steps that wait for a person to say whether their effect happened, oldest first."""
    asked = queries.read(Doubts)
    place, _, step_id = (asked.cursor or "").rpartition("-")
    there = queries.place(place)
    found = steps.in_doubt(_tenant(), limit=asked.limit + 1, after=(*there, step_id) if there else None)
    return wire.reply(queries.page(found, asked.limit, _doubt, _place))


@blueprint.get("/api/runs/<run_id>/attempts")
@declare.operation(gives=Page[StepAttempt])
def attempts_of_run(run_id: str) -> Response:
    """Every ended attempt of every step, by step and in order."""
    return wire.reply({"items": run_parts.attempts_of(runs.get(_tenant(), run_id)), "next": None})


@blueprint.get("/api/runs/<run_id>/steps/<step_id>/attempts")
@declare.operation(gives=Page[ShownAttempt])
def history(run_id: str, step_id: str) -> Response:
    """Every ended attempt of a step, in order; none is ever changed."""
    run = runs.get(_tenant(), run_id)
    steps.get(run.id, step_id)
    return wire.reply(queries.all_of(attempts.of_step(run.id, step_id), wire.attempt))


def _doubt(step: steps.Step) -> Doubt:
    return {"workflowId": str(step.run_id), **wire.step_in_full(step)}


def _place(step: steps.Step) -> str:
    assert step.ready_at is not None, "a step in doubt has been ready"
    return f"{queries.cursor_of(step.ready_at, step.run_id)}-{step.id}"


def _tenant() -> str:
    return authentication.caller().tenant
