"""Which of many tools a planner is given: those that fit the request best, those that the run has used."""

from dataclasses import replace

from planning_worker.plan_request import PlanRequest
from services import settings
from services.pipeline import phases
from services.replay import recorded_calls
from services.tools import lookup

BUILT_IN = "built-in"
DELEGATE = "delegate"


def told(request: PlanRequest) -> PlanRequest:
    """The request with the names of the tools that a model is told of (PERDURE_PROMPT_TOOLS at most)."""
    most = settings.current().prompt_tools
    if len(request.tools) <= most:
        return request
    used = [step.tool for step in request.done]
    named = [DELEGATE] if any(agent in request.request for agent in request.agents) else []
    names = dict.fromkeys(name for name in [*_fitting(request, most), *used, *named] if name in request.tools)
    return replace(request, told=list(names))


def known(request: PlanRequest) -> PlanRequest:
    """The request with the tools that the offline brain looks at: the built-in ones, and those that fit of the rest."""
    most = settings.current().prompt_tools
    rest = {name: tool for name, tool in request.tools.items() if tool.source != BUILT_IN}
    if len(rest) <= most:
        return request
    chosen = set(_fitting(replace(request, tools=rest), most))
    looked_at = {name: tool for name, tool in request.tools.items() if name not in rest or name in chosen}
    return replace(request, tools=looked_at)


def _fitting(request: PlanRequest, most: int) -> list[str]:
    """The names that fit best; in a replay those of then: by now more tools may have their vectors."""
    return recorded_calls.filled("tools", lambda: _looked_up(request, most))


def _looked_up(request: PlanRequest, most: int) -> list[str]:
    asked_before = [turn.text for turn in request.turns if turn.role == "user"][-1:]  # "and in Paris?"
    found = lookup.fitting(request.request, request.tools, most, also=asked_before)
    if found.pending:
        phases.ring_embedding()
    return [fitting.tool.name for fitting in found.items]
