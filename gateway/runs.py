"""/api/runs: list (filtered, sorted, with as much of each as wanted), read, cancel."""

from typing import Annotated, Literal

from flask import Blueprint, Response
from pydantic import Field

from gateway import authentication, declare, families, queries, run_parts, wire
from gateway.declare import Page
from gateway.fields import Moment, Name
from gateway.run_parts import ListedRun, Part, ShownRun
from gateway.wire import RunSummary
from services.journal import plans, run_search, runs, steps
from services.journal.run_search import Filter, Order
from services.pipeline import operating
from services.spending import budgets

blueprint = Blueprint("runs", __name__)

Status = Literal[
    "live", "queued", "planning", "executing", "reflecting", "waiting", "paused", "succeeded", "failed", "cancelled"
]
Include = Annotated[list[Part], Field(description="What else to tell of each; given several times.")]


class Wanted(queries.Query):
    """Which runs: all that fit every condition. text: in the request, the answer or the id. since ≤ created < until."""

    status: Annotated[list[Status], Field(description="Any of these; `live`: has not ended.")] = Field(
        default_factory=list
    )
    agent: Name | None = None
    conversation_id: Name | None = None
    label: queries.Labels = Field(default_factory=list)
    text: Annotated[str, Field(max_length=1_000)] | None = None
    since: Moment | None = None
    until: Moment | None = None
    sort: Annotated[Order, Field(description="`-` is the newest first. By finish: only those that have.")] = (
        "-createdAt"
    )
    include: Include = Field(default_factory=list)
    limit: int = queries.limit(50, 200)
    cursor: queries.Cursor | None = None

    def to_filter(self) -> Filter:
        return Filter(
            statuses=tuple(self.status),
            text=self.text,
            agent=self.agent,
            conversation_id=self.conversation_id,
            labels=queries.labels(self.label),
            since=self.since,
            until=self.until,
        )


class Told(queries.Query):
    """How much of the run to tell, beside its plan, steps and budget."""

    include: Include = Field(default_factory=list)


@blueprint.get("/api/runs")
@declare.operation(query=Wanted, gives=Page[ListedRun])
def listed() -> Response:
    """The runs that fit, newest first; `next` is the cursor of the page after, or null."""
    asked = queries.read(Wanted)
    tenant, after = authentication.caller().tenant, queries.place(asked.cursor)
    found = run_search.listed(tenant, asked.to_filter(), limit=asked.limit + 1, before=after, order=asked.sort)
    page = queries.page(found, asked.limit, wire.run_summary, lambda run: _cursor(run, asked.sort))
    items = [{**shown, **run_parts.of(run, asked.include)} for shown, run in zip(page["items"], found, strict=False)]
    return wire.reply({"items": items, "next": page["next"]})


@blueprint.get("/api/runs/<run_id>")
@declare.operation(query=Told, gives=ShownRun)
def show(run_id: str) -> Response:
    """One run with its plan, its steps and its answer as they stand."""
    asked = queries.read(Told)
    run = runs.get(authentication.caller().tenant, run_id)
    budget = budgets.of_run(run.tenant, run_id) if run.accounts else None
    shown = {**wire.run_in_full(run, plans.newest(run.id), steps.of_run(run.id), budget), **families.of(run)}
    return wire.reply({**run_parts.of(run, [part for part in asked.include if part not in shown]), **shown})


@blueprint.post("/api/runs/<run_id>/cancel")
@declare.operation(gives={202: RunSummary})
def cancel(run_id: str) -> Response:
    """Ask the run to stop; a finished run stays as it is. Answers 202 with the run."""
    tenant = authentication.caller().tenant
    operating.cancel(tenant, run_id)
    return wire.reply(wire.run_summary(runs.get(tenant, run_id)), status=202)


def _cursor(run: runs.Run, order: Order) -> str:
    at = run.finished_at if order.endswith("finishedAt") else run.created_at
    assert at is not None, "only runs that have ended are sorted by when"
    return queries.cursor_of(at, run.id)
