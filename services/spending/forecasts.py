"""Forecasts: what a plan will take before it runs, from what its tools took lately and what tokens cost now.

The gateway shows one beside a plan that is looked at. It is the median of the tenant's latest runs, and no promise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from services import database
from services.journal.plan_shape import Plan
from services.spending import prices
from services.tools.catalogue import ListedTool

LATEST = 200  # runs that are looked at
ANSWER = "reflect"

# the journal's index of a tenant's newest runs bounds the work, so the steps need no index of their own
_TAKEN = text("""
    with latest as (
      select id, finished_at from runs where tenant = :tenant and phase is null
      order by created_at desc, id desc limit :latest
    ), tries as (
      select a.run_id, a.step_id, min(a.started_at) as began, max(a.finished_at) as ended,
             bool_or(a.outcome = 'succeeded') as well
      from attempts a join latest l on l.id = a.run_id where a.started_at is not null group by 1, 2
    ), spent as (
      select m.run_id, m.holder, sum(m.input_tokens) as input, sum(m.output_tokens) as output
      from model_calls m join latest l on l.id = m.run_id where m.tenant = :tenant group by 1, 2
    ), taken as (
      select s.tool, t.ended - t.began as time, c.input, c.output
      from tries t join steps s on s.run_id = t.run_id and s.id = t.step_id
        left join spent c on c.run_id = t.run_id and c.holder = t.step_id
      where t.well and s.tool = any(:tools)
      union all
      select :answer, l.finished_at - (select max(ended) from tries t where t.run_id = l.id), c.input, c.output
      from latest l left join spent c on c.run_id = l.id and c.holder = :answer
      where exists (select from tries t where t.run_id = l.id)
    )
    select tool, count(*) as samples,
           percentile_cont(0.5) within group (order by extract(epoch from time)) as seconds,
           percentile_cont(0.5) within group (order by coalesce(input, 0)) as input,
           percentile_cont(0.5) within group (order by coalesce(output, 0)) as output
    from taken group by tool
""")


@dataclass(frozen=True)
class Taken:
    """What a step of a tool took, as a median over `samples` steps. cost: US dollars, None without a price."""

    samples: int
    seconds: float
    tokens: int
    cost: float | None


@dataclass(frozen=True)
class Forecast:
    """seconds: of the longest way through the plan, and the answer. cost: None when a price is not known.

    steps: by id, None where the tool has not been seen. asks: steps that a person is asked about before they run.
    """

    steps: dict[str, Taken | None]
    answer: Taken | None
    seconds: float
    tokens: int
    cost: float | None
    asks: list[str]

    @property
    def unknown(self) -> list[str]:
        """Steps of which nothing is known; they count nothing in the sums."""
        return [name for name, taken in self.steps.items() if taken is None]


def of_plan(tenant: str, plan: Plan, tools: Mapping[str, ListedTool], *, model: str | None) -> Forecast:
    """What a plan that keeps the plan rules will take. model: what its steps and the answer ask; None: no model."""
    known = _medians(tenant, {step.tool for step in plan.steps}, model)
    steps = {step.id: known.get(step.tool) for step in plan.steps}
    answer = known.get(ANSWER)
    all_of_it = [*steps.values(), answer]
    costs = [taken.cost for taken in all_of_it if taken]
    return Forecast(
        steps=steps,
        answer=answer,
        seconds=_longest_way(plan, steps) + (answer.seconds if answer else 0.0),
        tokens=sum(taken.tokens for taken in all_of_it if taken),
        cost=None if None in costs else sum(cost for cost in costs if cost is not None),
        asks=[step.id for step in plan.steps if tools[step.tool].permission == "ask"],
    )


def _longest_way(plan: Plan, steps: Mapping[str, Taken | None]) -> float:
    """Seconds until the last step is done, if each begins when what it waits for has ended."""
    waits_for = {step.id: step.dependencies for step in plan.steps}
    done: dict[str, float] = {}
    while len(done) < len(waits_for):  # the rules bound the depth, and there is no cycle
        for name, before in waits_for.items():
            if name not in done and all(each in done for each in before):
                taken = steps[name]
                done[name] = max((done[each] for each in before), default=0.0) + (taken.seconds if taken else 0.0)
    return max(done.values(), default=0.0)


def _medians(tenant: str, tools: set[str], model: str | None) -> dict[str, Taken]:
    asked: dict[str, Any] = {"tenant": tenant, "latest": LATEST, "tools": sorted(tools), "answer": ANSWER}
    with database.session() as session:
        return {row.tool: _taken(row, model) for row in session.execute(_TAKEN, asked) if row.seconds is not None}


def _taken(row: Any, model: str | None) -> Taken:
    price = prices.of_model(model) if model else None
    tokens = round(row.input + row.output)
    cost = price.of(row.input, row.output) if price else None if tokens else 0.0
    return Taken(row.samples, max(0.0, float(row.seconds)), tokens, cost)
