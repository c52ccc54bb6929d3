"""The planner that asks a model: a prompt, a plan held to the plan rules, and one round to mend what breaks them.

Called by the planning worker when a model is configured; the prompt is `prompts/<PROMPT>.md`.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from planning_worker.plan_request import PlanRequest
from planning_worker.plan_stream import StepReader
from planning_worker.sentinel import Runaway
from services import clock
from services.errors import PlanRefused
from services.journal import plan_rules
from services.journal.event_names import EventName
from services.journal.plan_shape import Plan, PlanStep
from services.model import context, data_fence, json_text, provider, results
from services.model.shapes import Completion, Message, Usage
from services.tools.catalogue import ListedTool

PROMPT = "plan_v3"
TURNS_BUDGET = 12_000  # characters
MEMORIES_BUDGET = 6_000
RESULTS_BUDGET = 20_000
QUOTED_REPLY = 20_000
QUOTED_FAULTS = 20


@dataclass(frozen=True)
class ModelPlan:
    """A plan that keeps the rules, with what the records want to know of how it came about.

    usage: tokens of all rounds. prompt_version: the prompt file. repaired: why the first plan was sent back, or None.
    """

    plan: Plan
    usage: Usage
    model: str
    prompt_version: str
    repaired: str | None = None


class Taking(Protocol):
    """Who takes steps while they are written; see eager_steps.EagerSteps."""

    @property
    def begun(self) -> list[PlanStep]: ...

    def begin_reply(self) -> None: ...

    def offer(self, raw: Any) -> None: ...

    def merged(self, plan: Plan) -> Plan: ...

    def tell(self, name: EventName, data: dict[str, Any]) -> None: ...


def plan(request: PlanRequest, taking: Taking, *, max_steps: int) -> ModelPlan:
    """The model's plan for `request`; `taking` is offered each step as it is written.

    Raises PlanRefused with the reason when the plan breaks the rules twice, Runaway when it goes in circles thrice,
    and what the provider raises.
    """
    messages = _messages(request, max_steps)
    if request.done:
        messages = [*messages, {"role": "user", "content": _results(request)}]
    if taking.begun:
        messages = [*messages, {"role": "user", "content": _kept(taking)}]
    first = _written(messages, request, taking)
    try:
        return ModelPlan(_checked(first, request, taking, max_steps), first.usage, first.model, PROMPT)
    except PlanRefused as fault:
        reason = _quoted(fault)
        _rein_in(fault, "nudge", taking)
    second = _written([*messages, *_sent_back(first, reason, taking)], request, taking)
    usage = first.usage + second.usage
    try:
        return ModelPlan(_checked(second, request, taking, max_steps), usage, second.model, PROMPT, repaired=reason)
    except Runaway as fault:
        reason = _quoted(fault)
        _rein_in(fault, "replan", taking)
    except PlanRefused as fault:
        detail = f"The model's plan could not be used, and neither could its second one: {fault.detail}"
        raise PlanRefused(detail, errors=fault.errors) from fault
    third = _written([*messages, _asked_anew(reason, taking)], request, taking)
    mended = _checked(third, request, taking, max_steps)
    return ModelPlan(mended, usage + third.usage, third.model, PROMPT, repaired=reason)


def _rein_in(fault: PlanRefused, action: str, taking: Taking) -> None:
    if isinstance(fault, Runaway):
        taking.tell(EventName.RUN_REINED_IN, {"sign": fault.sign, "action": action, "because": fault.detail})


def _written(messages: list[Message], request: PlanRequest, taking: Taking) -> Completion:
    """What the model writes, read along."""
    stream = provider.stream(messages, schema=_schema(request), schema_name="plan")
    reader = StepReader()
    taking.begin_reply()
    for piece in stream:
        for step in reader.feed(piece):
            taking.offer(_without_null_fields(step))
    return Completion(reader.text, stream.usage, stream.model)


def _checked(completion: Completion, request: PlanRequest, taking: Taking, max_steps: int) -> Plan:
    try:
        raw = json_text.parse(completion.text)
    except ValueError as error:
        raise PlanRefused(str(error)) from error
    written = taking.merged(plan_rules.parse(_without_nulls(raw)))
    plan_rules.check(written, request.tools, max_steps=max_steps)
    return written


def _without_nulls(raw: Any) -> Any:
    """Models write null for what they leave out; in a step's own fields that means the default."""
    if not isinstance(raw, dict) or not isinstance(raw.get("steps"), list):
        return raw
    return {**raw, "steps": [_without_null_fields(step) for step in raw["steps"]]}


def _without_null_fields(step: Any) -> Any:
    return {name: value for name, value in step.items() if value is not None} if isinstance(step, dict) else step


def _messages(request: PlanRequest, max_steps: int) -> list[Message]:
    tools = "\n".join(_described(tool) for tool in request.offered)
    system = _prompt().replace("{max_steps}", str(max_steps)).replace("{tools}", tools)
    if request.instructions:
        system += f"\n\nYou plan for an agent with these instructions:\n{request.instructions}"
    parts = [f"The time is {clock.to_wire(request.now)} ({request.now:%A})."]
    if request.memories:
        room = context.room(0.05, MEMORIES_BUDGET)
        parts.append(data_fence.fenced("memories of this user, best first", request.memories, room))
    if request.turns:
        turns = [(turn.role, turn.text) for turn in request.turns]
        parts.append(data_fence.conversation(turns, context.room(0.1, TURNS_BUDGET)))
    parts.append(f"Plan this request:\n{request.request}")
    return [{"role": "system", "content": system}, {"role": "user", "content": "\n\n".join(parts)}]


def _described(tool: ListedTool) -> str:
    description = data_fence.visible(" ".join(tool.description.split()))
    schema = json.dumps(_without_titles(tool.schema), ensure_ascii=False)
    return f"- {tool.name} ({tool.effect}): {description}\n  {schema}"


def _without_titles(schema: Any) -> Any:
    """Pydantic gives every field a title that says no more than its name: a third of the tokens."""
    if isinstance(schema, list):
        return [_without_titles(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_titles(one) for key, one in schema.items() if key != "title" or not isinstance(one, str)}


def _schema(request: PlanRequest) -> dict[str, Any]:
    """JSON Schema of a plan over these tools. `arguments` stay open: each tool has its own, checked by the rules."""
    step = {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "tool": {"type": "string", "enum": sorted(tool.name for tool in request.offered)},
            "arguments": {"type": "object"},
            "dependsOn": {"type": "array", "items": {"type": "string"}},
            "when": {"type": "string"},
            "forEach": {"type": "string"},
            "why": {"type": "string"},
        },
        "required": ["id", "tool", "arguments"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"steps": {"type": "array", "items": step}, "note": {"type": "string"}},
        "required": ["steps"],
        "additionalProperties": False,
    }


def _sent_back(completion: Completion, reason: str, taking: Taking) -> list[Message]:
    mend = f"This plan can't be used:\n{reason}\n\nWrite the whole plan again, mended."
    quoted = data_fence.shortened(completion.text, context.room(0.15, QUOTED_REPLY))
    return [
        {"role": "assistant", "content": quoted or "(nothing)"},
        {"role": "user", "content": f"{mend} {_kept(taking)}" if taking.begun else mend},
    ]


def _asked_anew(reason: str, taking: Taking) -> Message:
    """What the model has to know after two plans that went in circles; the plans themselves would only lead it back."""
    said = (
        f"Two plans of yours went round in circles and were thrown away:\n{reason}\n\nPlan in an altogether different "
        "way, without these calls. If there is none, write no step and say in `note` what is missing."
    )
    return {"role": "user", "content": f"{said} {_kept(taking)}" if taking.begun else said}


def _results(request: PlanRequest) -> str:
    """What the model has to know to revise a plan."""
    brought = results.told(request.done, context.room(0.2, RESULTS_BUDGET))
    told = data_fence.fenced("what the steps so far have brought", brought)
    return (
        f"{told}\n\nThe plan was run, and some of it failed or the user has added something. Write only the steps that "
        "are still needed to fulfil the request, another way where one failed: with new ids, numbered on from these, "
        "and never the same call again. They may refer to what has succeeded. If nothing more can help, write no step "
        "and say why in `note`."
    )


def _kept(taking: Taking) -> str:
    """What the model has to know of steps that were taken before."""
    steps = [step.model_dump(by_alias=True, exclude_none=True) for step in taking.begun]
    return (
        f"These steps have been started; begin the plan with them, unchanged:\n{json.dumps(steps, ensure_ascii=False)}"
    )


def _quoted(fault: PlanRefused) -> str:
    faults = [f"- {one.pointer}: {one.detail}" for one in fault.errors[:QUOTED_FAULTS]]
    return "\n".join(faults) or f"- {fault.detail}"


@lru_cache(maxsize=1)
def _prompt() -> str:
    return (Path(__file__).parent / "prompts" / f"{PROMPT}.md").read_text(encoding="utf-8")
