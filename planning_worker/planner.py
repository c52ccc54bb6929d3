"""Plans a run: claims its planning phase, lets the model or the offline brain say how, hands it on.

A caller's own plan is checked and written by the gateway and never comes here.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from planning_worker import fitting_tools, offline
from planning_worker.eager_steps import EagerSteps, FencedOff
from planning_worker.plan_request import PlanRequest, Turn
from planning_worker.sentinel import Runaway
from services import clock, failpoints, logs, settings
from services.agents import agents, profiles
from services.agents.agents import Agent
from services.errors import BudgetExceeded, PerdureError, PlanRefused, Retryable, ToolError, Unavailable
from services.failpoints import Failpoint
from services.journal import event_feed, plan_rules, plans, runs, steps
from services.journal.event_names import EventName
from services.journal.finished_steps import FinishedStep
from services.journal.plan_shape import Plan
from services.pipeline import heartbeat, phases, teams
from services.spending import payers
from services.tools import catalogue
from services.tools.catalogue import ListedTool
from services.tracing import spans

MAX_FAILURES = 5
DELEGATE = "delegate"
MOST_AGENTS = 50  # told to the model

log = logs.get(__name__)


@dataclass(frozen=True)
class Planned:
    """A plan with where it came from. source: model or offline; brain: what will answer, as people see it.

    rows: its steps that are not in the journal yet, as rows.
    """

    plan: Plan
    rows: list[dict[str, Any]]
    source: str = "offline"
    brain: str = "offline"
    usage: dict[str, Any] = field(default_factory=dict)
    prompt_version: str | None = None


def plan_run(run_id: str) -> None:
    """Plan the run if its planning phase is unowned. Every failure ends on the run's row, never in a traceback."""
    phase = runs.claim_phase(run_id, "plan", heartbeat.worker_id())
    if phase is None:
        return
    failpoints.reached(Failpoint.PLAN_CLAIMED)
    try:
        with spans.phase(run_id, "plan", phase.fence), payers.paying(payers.of_phase(phase.run, "plan")):
            planned = _plan(phase)
    except FencedOff:
        return
    except PerdureError as error:
        _fail(phase, error)
        return
    except Exception as error:
        log.exception("Planning broke")
        _fail(phase, Unavailable(f"Planning broke: {type(error).__name__}."))
        return
    _accept(phase, planned)


def _plan(phase: runs.Phase) -> Planned:
    run, tools = phase.run, _tools(phase.run)
    if not tools:
        raise Unavailable("No execution worker has registered its tools yet.")
    current = settings.current()
    asked = PlanRequest(
        request="\n\nThe user added meanwhile:\n".join([run["request"], *run["steered"]]),
        now=datetime.fromisoformat(profiles.moment(run)),
        tools=tools,
        instructions=(run["profile"] or {}).get("instructions"),
        turns=[Turn(role, text) for role, text in profiles.turns(run)],
        agents=tuple(agent.name for agent in _agents(run)),
        done=[FinishedStep(**step) for step in run.get("steps", []) if step["revision"] <= run["plan_revision"]],
    )
    if payers.model_answers():
        from planning_worker import model_planner  # only who asks a model loads the client library

        told = fitting_tools.told(replace(asked, memories=profiles.memories(run)))
        taking = EagerSteps(phase, tools, asked.done)
        try:
            made = model_planner.plan(told, taking, max_steps=current.max_steps)
        except (PlanRefused, BudgetExceeded) as refused:
            if not _can_finish(refused, taking, asked) or getattr(refused, "on_exceed", None) == "ask":
                raise
            return _without_more(taking, refused)  # what there is makes an answer, if not the whole one
        rows = taking.rows_of_rest(made.plan)
        return Planned(made.plan, rows, "model", made.model, made.usage.to_wire(), made.prompt_version)
    plan = offline.plan(fitting_tools.known(asked))
    plan_rules.check(plan, tools, max_steps=current.max_steps)
    return Planned(plan, steps.rows_of(plan, tools, required=False, attempts=current.step_attempts))


def _tools(run: dict[str, Any]) -> dict[str, ListedTool]:
    """The tools that the run's agent may use; to delegate, only where there is somebody to delegate to."""
    allowed = (run["profile"] or {}).get("tools")
    tools = {name: tool for name, tool in catalogue.listed().items() if allowed is None or profiles.fits(name, allowed)}
    delegate, others = tools.pop(DELEGATE, None), _agents(run)
    if delegate and others:
        known = "; ".join(f"{agent.name}: {agent.description or 'no description'}" for agent in others[:MOST_AGENTS])
        tools[DELEGATE] = replace(delegate, description=f"{delegate.description}\n\nThe agents are: {known}")
    return tools


def _agents(run: dict[str, Any]) -> list[Agent]:
    """Whom this run may delegate to."""
    if run["depth"] >= settings.current().max_delegation_depth:
        return []
    return [agent for agent in agents.listed(run["tenant"]) if agent.name != run["agent"]]


def _can_finish(refused: PerdureError, taking: EagerSteps, asked: PlanRequest) -> bool:
    """Whether there is something to answer with though there will be no further plan."""
    if isinstance(refused, Runaway):
        told = {"sign": refused.sign, "action": "finish", "because": refused.detail}
        taking.tell(EventName.RUN_REINED_IN, told)
        return bool(asked.done or taking.begun)
    return bool(asked.done)


def _without_more(taking: EagerSteps, refused: PerdureError) -> Planned:
    note = f"The plan could not be revised: {refused.detail}"
    return Planned(Plan(steps=taking.steps, note=note[:4_000]), [], "model", settings.current().model)


def _accept(phase: runs.Phase, planned: Planned) -> None:
    """Write what has not been taken yet, and hand the run on."""
    failpoints.reached(Failpoint.PLAN_MADE)
    accepted = plans.complete(
        phase,
        {
            "brain": planned.brain,
            "source": planned.source,
            "note": planned.plan.note,
            "usage": planned.usage,
            "prompt_version": planned.prompt_version,
            "steps": planned.rows,
        },
    )
    if accepted is None:
        return  # fenced off: cancelled meanwhile, or taken over by another worker
    failpoints.reached(Failpoint.PLAN_ACCEPTED)
    phases.grow_execution(phase.run_id, accepted.ready)
    event_feed.publish(accepted.events)
    if accepted.phase == "reflect":
        phases.ring(phase.run_id, "reflect")


def _fail(phase: runs.Phase, error: PerdureError) -> None:
    """Try again later what may work later; fail the run with the sentence otherwise."""
    if isinstance(error, BudgetExceeded) and error.on_exceed == "ask":
        event_feed.publish(runs.pause_for_budget(phase.run_id, error.detail))
        event_feed.publish(runs.fail_phase(phase, detail=error.detail, retry_in=0) or [])
        return
    transient = isinstance(error, Unavailable | Retryable) and not isinstance(error, PlanRefused)
    again = transient and phase.run["phase_failures"] + 1 < MAX_FAILURES
    wait = getattr(error, "retry_after", None) or min(2.0 ** phase.run["phase_failures"], 30.0)
    log.warning("Planning failed", error=error.detail, again_in=wait if again else None, at=clock.to_wire(clock.now()))
    detail = error.detail if isinstance(error, ToolError | PlanRefused) else f"{error.title}: {error.detail}"
    events = runs.fail_phase(phase, detail=detail, retry_in=wait if again else None) or []
    teams.wake_parents(events)
    event_feed.publish(events)
