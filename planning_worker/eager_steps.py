"""The steps of a plan that is still being written: each is checked, journaled and started as it comes.

A step is taken at once if it keeps the plan rules beside those taken before it and repeating it would do no harm;
a step whose effect is `unsafe` waits until the whole plan is known to be good, and every step of a plan that a person
wants to look at first waits for that.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from planning_worker import revision_rules, sentinel
from services import failpoints, settings
from services.errors import FieldError, PerdureError, PlanRefused
from services.failpoints import Failpoint
from services.journal import event_feed, plan_rules, plans, runs, steps
from services.journal.event_names import EventName
from services.journal.finished_steps import FinishedStep
from services.journal.plan_shape import Plan, PlanStep
from services.journal.runs import Phase, parse_id
from services.pipeline import phases
from services.tools.catalogue import ListedTool


class FencedOff(PerdureError):
    """The run was cancelled, or another worker plans it by now."""

    title = "Fenced off"


class EagerSteps:
    """What has been taken of the plan that this phase is about; `steps` holds it, in order."""

    def __init__(self, phase: Phase, tools: Mapping[str, ListedTool], done: Sequence[FinishedStep] = ()) -> None:
        self._done = done
        self._phase = phase
        self._tools = tools
        self._attempts = settings.current().step_attempts
        self._takes = not phase.run["review"]
        self._open = self._takes
        self.steps: list[PlanStep] = []
        if phase.fence > 1:  # a planner before us may have died in the middle
            self.steps = [_as_planned(step) for step in steps.of_run(parse_id(phase.run_id)) if "[" not in step.id]

    @property
    def begun(self) -> list[PlanStep]:
        """The steps that were taken of this revision of the plan."""
        ended = {step.id for step in self._done}
        return [step for step in self.steps if step.id not in ended]

    def begin_reply(self) -> None:
        """A new reply of the model begins."""
        self._open = self._takes

    def offer(self, raw: Any) -> None:
        """Take this step if it may be taken now. After the first that has a fault, no more of this reply.

        Raises FencedOff.
        """
        if not self._open:
            return
        try:
            [step] = plan_rules.parse({"steps": [raw]}).steps
            if any(step.id == known.id for known in self.steps):
                return  # the same again, or a contradiction: `merged` tells
            sentinel.check([step], self.steps, self._done)
            revision_rules.check([step], self._done)
            plan_rules.check(Plan(steps=[*self.steps, step]), self._tools, max_steps=settings.current().max_steps)
        except PlanRefused:
            self._open = False
            return
        if self._tools[step.tool].effect == "unsafe":
            self._open = False  # what follows may need it
            return
        self._take(step)

    def merged(self, plan: Plan) -> Plan:
        """The plan with all that was taken. Raises PlanRefused where it says otherwise of a step that was."""
        known = {step.id: step for step in self.steps}
        faults = [
            FieldError(
                f"#/plan/steps/{index}",
                f"step {step.id} has been started as it was: keep it unchanged, or give the new step another id.",
            )
            for index, step in enumerate(plan.steps)
            if step.id in known and _acts(step) != _acts(known[step.id])
        ]
        if faults:
            raise PlanRefused(f"{faults[0].pointer}: {faults[0].detail}", errors=faults)
        new = [step for step in plan.steps if step.id not in known]
        sentinel.check(new, self.steps, self._done)
        revision_rules.check(new, self._done)
        return plan.model_copy(update={"steps": [*self.steps, *new]})

    def tell(self, name: EventName, data: dict[str, Any]) -> None:
        """Record an event of the run. Raises FencedOff."""
        told = runs.append_events(self._phase, [{"name": name, "data": data}])
        if told is None:
            raise FencedOff("The run is cancelled, or planned by another worker.")
        event_feed.publish(told)

    def rows_of_rest(self, plan: Plan) -> list[dict[str, Any]]:
        """The steps of a merged plan that were not taken, as rows of the journal."""
        if not self.steps:
            return steps.rows_of(plan, self._tools, required=False, attempts=self._attempts)
        return [self._row(step) for step in plan.steps[len(self.steps) :]]

    def _row(self, step: PlanStep) -> dict[str, Any]:
        return steps.row_of(step, self._tools[step.tool], required=False, attempts=self._attempts)

    def _take(self, step: PlanStep) -> None:
        taken = plans.add_steps(self._phase, [self._row(step)])
        failpoints.reached(Failpoint.PLAN_STEP_ADDED)
        if taken is None:
            raise FencedOff("The run is cancelled, or planned by another worker.")
        self.steps.append(step)
        phases.grow_execution(self._phase.run_id, taken.ready)
        event_feed.publish(taken.events)


def _acts(step: PlanStep) -> tuple[object, ...]:
    """What a step does, without the words about it."""
    return step.tool, step.arguments, step.control, sorted(step.dependencies)


def _as_planned(step: steps.Step) -> PlanStep:
    control = step.control or {}
    return PlanStep(
        id=step.id,
        tool=step.tool,
        arguments=step.arguments,
        depends_on=[name for name in step.depends_on if "[" not in name],  # but for the items that it became
        when=control.get("when"),
        for_each=control.get("forEach"),
        why=step.why,
    )
