"""/api/runs/{id}/…: pause, resume and fork a run, change its steps. What can be asked of it: run_facts.py."""

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import ConfigDict, Field, model_validator

from gateway import authentication, bodies, declare, wire
from gateway.fields import Id
from gateway.wire import RunSummary, Started, StepInFull
from services.journal import forks, runs, steps, submissions, surgery
from services.journal.surgery import Changed
from services.pipeline import operating

blueprint = Blueprint("surgery", __name__)


_ONE_KIND: dict[str, Any] = {
    "oneOf": [
        {"required": ["output"], "maxProperties": 1},
        {"minProperties": 1, "not": {"required": ["output"]}},
    ]
}


class StepPatch(bodies.Body):
    """What is different at one step of a fork: `output`, or `arguments` and/or `tool`."""

    model_config = ConfigDict(json_schema_extra=_ONE_KIND)

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


class Addition(bodies.Body):
    """What the user adds."""

    text: Annotated[str, Field(min_length=1, max_length=50_000)]


class StepResult(bodies.Body):
    """The result that a step is to have."""

    output: Any


class StepArguments(bodies.Body):
    """The arguments that a step is to run with."""

    arguments: dict[str, Any]


_WITH_OUTPUT: dict[str, Any] = {
    "oneOf": [
        {"required": ["as", "output"], "properties": {"as": {"const": "done"}}},
        {"required": ["as"], "properties": {"as": {"enum": ["again", "skip"]}}, "not": {"required": ["output"]}},
    ]
}


class Resolution(bodies.Body):
    """What a person found out about a step in doubt: it is done (with this output), run it again, or skip it."""

    model_config = ConfigDict(json_schema_extra=_WITH_OUTPUT)

    as_: str = Field(alias="as", pattern="^(done|again|skip)$")
    output: Any = None

    @model_validator(mode="after")
    def _output_when_done(self) -> "Resolution":
        if ("output" in self.model_fields_set) != (self.as_ == "done"):
            raise ValueError("`output` goes with `as`: `done`, and only with that")
        return self


class Forked(Started):
    """A run that shares what another one has finished."""

    forkedFrom: Id


@blueprint.post("/api/runs/<run_id>/pause")
@declare.operation(gives={202: RunSummary})
def pause(run_id: str) -> Response:
    """Begin nothing more in this run until it is resumed. Answers 202 with the run."""
    operating.pause(_tenant(), run_id)
    return _run(run_id)


@blueprint.post("/api/runs/<run_id>/resume")
@declare.operation(gives={202: RunSummary})
def resume(run_id: str) -> Response:
    """Let a paused run go on. Answers 202 with the run."""
    operating.resume(_tenant(), run_id)
    return _run(run_id)


@blueprint.post("/api/runs/<run_id>/run-now")
@declare.operation(gives={202: RunSummary})
def run_now(run_id: str) -> Response:
    """Let a run that is held back begin now. Answers 202 with the run."""
    operating.carry_on(run_id, submissions.hasten(_tenant(), run_id))
    return _run(run_id)


@blueprint.post("/api/runs/<run_id>/steer")
@declare.operation(takes=Addition, gives={202: RunSummary}, example={"text": "In euros, please."})
def steer(run_id: str) -> Response:
    """Add something while the run is under way; it is taken in when its steps have ended. Answers 202 with the run."""
    asked, _ = bodies.read(Addition)
    operating.steer(_tenant(), run_id, asked.text)
    return _run(run_id)


@blueprint.post("/api/runs/<run_id>/fork")
@declare.operation(takes=ForkRequest, gives={202: Forked})
def fork(run_id: str) -> Response:
    """Start a run that shares what this ended one has finished. Answers 202 like the start of any run."""
    asked, _ = bodies.read(ForkRequest)
    patches = {step: patch.to_patch() for step, patch in asked.patches.items()}
    made = runs.get(_tenant(), operating.fork(_tenant(), run_id, from_step=asked.from_step, patches=patches))
    started = wire.started(made.id, made.conversation_id, made.status)
    reply = wire.reply({**started, "forkedFrom": str(made.forked_from)}, status=202)
    reply.headers["Location"] = f"/api/runs/{made.id}"
    return reply


@blueprint.post("/api/runs/<run_id>/steps/<step_id>/run-now")
@blueprint.post("/api/runs/<run_id>/steps/<step_id>/retry-now")
@blueprint.post("/api/runs/<run_id>/steps/<step_id>/retry")
@declare.operation(gives={202: StepInFull})
def retry(run_id: str, step_id: str) -> Response:
    """Run a failed step again, or end a waiting step's pause now."""
    return _changed(run_id, step_id, surgery.retry_step(_tenant(), run_id, step_id))


@blueprint.post("/api/runs/<run_id>/steps/<step_id>/skip")
@declare.operation(gives={202: StepInFull})
def skip(run_id: str, step_id: str) -> Response:
    """Do without this step."""
    return _changed(run_id, step_id, surgery.skip_step(_tenant(), run_id, step_id))


@blueprint.post("/api/runs/<run_id>/steps/<step_id>/override")
@declare.operation(takes=StepResult, gives={202: StepInFull})
def override(run_id: str, step_id: str) -> Response:
    """Take this output as the step's result."""
    asked, _ = bodies.read(StepResult)
    return _changed(run_id, step_id, surgery.override_step(_tenant(), run_id, step_id, asked.output))


@blueprint.post("/api/runs/<run_id>/steps/<step_id>/rerun")
@declare.operation(takes=StepArguments, gives={202: StepInFull})
def rerun(run_id: str, step_id: str) -> Response:
    """Run the step with other arguments."""
    asked, _ = bodies.read(StepArguments)
    return _changed(run_id, step_id, surgery.rerun_step(_tenant(), run_id, step_id, asked.arguments))


@blueprint.post("/api/runs/<run_id>/steps/<step_id>/resolve")
@declare.operation(takes=Resolution, gives={202: StepInFull})
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
    return wire.reply(wire.step_in_full(steps.get(runs.get(_tenant(), run_id).id, step_id)), status=202)
