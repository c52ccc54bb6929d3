"""/api/runs/{id}/…: pause, resume and fork a run, change its steps, ask why it waits, compare it with another."""

from typing import Any

from flask import Blueprint, Response
from pydantic import Field, model_validator

from gateway import authentication, bodies, queries, wire
from services import clock
from services.errors import NotFound
from services.journal import attempts, diffs, forks, runs, steps, submissions, surgery, why
from services.journal.surgery import Changed
from services.pipeline import operating

blueprint = Blueprint("surgery", __name__)


class StepPatch(bodies.Body):
    """What is different at one step of a fork: `output`, or `arguments` and/or `tool`."""

    arguments: dict[str, Any] | None = None
    tool: str | None = None
    output: Any = None

    @model_validator(mode="after")
    def _one_kind(self) -> "StepPatch":
        given = self.model_fields_set
        if not given or ("output" in given and len(given) > 1):
            raise ValueError("give `output`, or `arguments` and/or `tool`")
        return self

    def to_patch(self) -> forks.Patch:
        return forks.Patch(self.arguments, self.tool, self.output, "output" in self.model_fields_set)


class ForkRequest(bodies.Body):
    """fromStep: run this step and all that follows it anew. patches: by step id."""

    from_step: str | None = None
    patches: dict[str, StepPatch] = Field(default_factory=dict, max_length=500)


class Result(bodies.Body):
    """The result that a step is to have."""

    output: Any


class Arguments(bodies.Body):
    """The arguments that a step is to run with."""

    arguments: dict[str, Any]


class Resolution(bodies.Body):
    """What a person found out about a step in doubt: it is done (with this output), run it again, or skip it."""

    as_: str = Field(alias="as", pattern="^(done|again|skip)$")
    output: Any = None

    @model_validator(mode="after")
    def _output_when_done(self) -> "Resolution":
        if ("output" in self.model_fields_set) != (self.as_ == "done"):
            raise ValueError("`output` goes with `as`: `done`, and only with that")
        return self


@blueprint.post("/api/runs/<run_id>/pause")
def pause(run_id: str) -> Response:
    """Begin nothing more in this run until it is resumed. Answers 202 with the run."""
    operating.pause(_tenant(), run_id)
    return _run(run_id)


@blueprint.post("/api/runs/<run_id>/resume")
def resume(run_id: str) -> Response:
    """Let a paused run go on. Answers 202 with the run."""
    operating.resume(_tenant(), run_id)
    return _run(run_id)


@blueprint.post("/api/runs/<run_id>/run-now")
def run_now(run_id: str) -> Response:
    """Let a run that is held back begin now. Answers 202 with the run."""
    operating.carry_on(run_id, submissions.hasten(_tenant(), run_id))
    return _run(run_id)


@blueprint.post("/api/runs/<run_id>/fork")
def fork(run_id: str) -> Response:
    """Start a run that shares what this ended one has finished. Answers 202 like the start of any run."""
    asked, _ = bodies.read(ForkRequest)
    patches = {step: patch.to_patch() for step, patch in asked.patches.items()}
    made = runs.get(_tenant(), operating.fork(_tenant(), run_id, from_step=asked.from_step, patches=patches))
    answer = {
        "workflowId": str(made.id),
        "status": made.status,
        "conversationId": made.conversation_id,
        "forkedFrom": str(made.forked_from),
        "updatesUrl": f"/api/agent/updates?workflowId={made.id}",
    }
    reply = wire.reply(answer, status=202)
    reply.headers["Location"] = f"/api/runs/{made.id}"
    return reply


@blueprint.get("/api/runs/<run_id>/lineage")
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
def doubts() -> Response:
    """The steps that wait for a person to say whether their effect happened, oldest first."""
    queries.known_only("limit")
    found = steps.in_doubt(_tenant(), limit=queries.integer("limit", 200, least=1, most=1_000))
    items = [{"workflowId": str(step.run_id), **wire.step_in_full(step)} for step in found]
    return wire.reply({"items": items, "next": None})


@blueprint.get("/api/runs/<run_id>/attempts")
def attempts_of_run(run_id: str) -> Response:
    """Every ended attempt of every step, by step and in order."""
    found = attempts.of_run(runs.get(_tenant(), run_id).id)
    return wire.reply({"items": [{"stepId": each.step_id, **wire.attempt(each)} for each in found], "next": None})


@blueprint.get("/api/runs/<run_id>/steps/<step_id>/attempts")
def history(run_id: str, step_id: str) -> Response:
    """Every ended attempt of a step, in order; none is ever changed."""
    run = runs.get(_tenant(), run_id)
    _found(run, step_id)
    ended = attempts.of_step(run.id, step_id)
    return wire.reply({"items": [wire.attempt(each) for each in ended], "next": None})


@blueprint.post("/api/runs/<run_id>/steps/<step_id>/run-now")
@blueprint.post("/api/runs/<run_id>/steps/<step_id>/retry-now")
@blueprint.post("/api/runs/<run_id>/steps/<step_id>/retry")
def retry(run_id: str, step_id: str) -> Response:
    """Run a failed step again, or end a waiting step's pause now."""
    return _changed(run_id, step_id, surgery.retry_step(_tenant(), run_id, step_id))


@blueprint.post("/api/runs/<run_id>/steps/<step_id>/skip")
def skip(run_id: str, step_id: str) -> Response:
    """Do without this step."""
    return _changed(run_id, step_id, surgery.skip_step(_tenant(), run_id, step_id))


@blueprint.post("/api/runs/<run_id>/steps/<step_id>/override")
def override(run_id: str, step_id: str) -> Response:
    """Take this output as the step's result."""
    asked, _ = bodies.read(Result)
    return _changed(run_id, step_id, surgery.override_step(_tenant(), run_id, step_id, asked.output))


@blueprint.post("/api/runs/<run_id>/steps/<step_id>/rerun")
def rerun(run_id: str, step_id: str) -> Response:
    """Run the step with other arguments."""
    asked, _ = bodies.read(Arguments)
    return _changed(run_id, step_id, surgery.rerun_step(_tenant(), run_id, step_id, asked.arguments))


@blueprint.post("/api/runs/<run_id>/steps/<step_id>/resolve")
def resolve(run_id: str, step_id: str) -> Response:
    """Say what became of a step in doubt."""
    asked, _ = bodies.read(Resolution)
    tenant = _tenant()
    if asked.as_ == "done":
        changed = surgery.resolve_as_done(tenant, run_id, step_id, asked.output)
    elif asked.as_ == "again":
        changed = surgery.resolve_as_not_done(tenant, run_id, step_id)
    else:
        changed = surgery.resolve_by_skipping(tenant, run_id, step_id)
    return _changed(run_id, step_id, changed)


def _tenant() -> str:
    return authentication.caller().tenant


def _run(run_id: str) -> Response:
    return wire.reply(wire.run_summary(runs.get(_tenant(), run_id)), status=202)


def _changed(run_id: str, step_id: str, changed: Changed) -> Response:
    """202 with the step as it stands after the change, which is published and rung here."""
    operating.carry_on(run_id, changed)
    return wire.reply(wire.step_in_full(_found(runs.get(_tenant(), run_id), step_id)), status=202)


def _found(run: runs.Run, step_id: str) -> steps.Step:
    for step in steps.of_run(run.id):
        if step.id == step_id:
            return step
    raise NotFound(f"There is no step {step_id} in run {run.id}.")
