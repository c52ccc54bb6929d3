"""POST /api/runs/bulk: cancel, pause, resume or retry all runs that fit a filter; with dryRun only say which."""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, wire
from gateway.fields import Id, Moment, Name
from gateway.runs import Status
from services.journal.run_search import Filter
from services.journal.runs import RunStatus
from services.pipeline import bulk_operating
from services.pipeline.bulk_operating import RunAction

EXAMPLE = {"action": "cancel", "filter": {"status": ["queued"], "labels": {"shop": "berlin"}}, "dryRun": True}

blueprint = Blueprint("run_bulk", __name__)


class RunFilter(bodies.Body):
    """Which runs are meant, as in GET /api/runs; what is left out is no condition."""

    status: Annotated[list[Status], Field(max_length=10)] = Field(default_factory=list)
    agent: Name | None = None
    conversation_id: Name | None = None
    labels: dict[str, str] | None = None
    text: Annotated[str, Field(max_length=1_000)] | None = None
    since: Moment | None = None
    until: Moment | None = None

    def to_filter(self) -> Filter:
        return Filter(**{**self.model_dump(exclude={"status"}), "statuses": tuple(self.status)})


class RunBulk(bodies.Body):
    """Do `action` to all runs that fit `filter` and that it means something for, newest first, at most `limit`.

    retry: a run that failed or was cancelled goes on as a fork that shares what it has finished.
    """

    action: RunAction
    filter: RunFilter
    dry_run: bool = False
    limit: int = Field(bulk_operating.MOST_AT_ONCE, ge=1, le=bulk_operating.MOST_AT_ONCE)


class ChangedRun(TypedDict):
    """One run. continuesAs: its fork. refused: why nothing was done."""

    workflowId: Id
    status: RunStatus
    continuesAs: Id | None
    refused: str | None


class ChangedRuns(TypedDict):
    """What was (or, in a dry run, would be) done. more: others fit too."""

    action: RunAction
    dryRun: bool
    count: int
    more: bool
    items: list[ChangedRun]


@blueprint.post("/api/runs/bulk")
@declare.operation(takes=RunBulk, gives=ChangedRuns, example=EXAMPLE)
def change_many() -> Response:
    """Answers what was (or, in a dry run, would be) done with each."""
    asked, _ = bodies.read(RunBulk)
    tenant, wanted = authentication.caller().tenant, asked.filter.to_filter()
    done, more = bulk_operating.change_runs(tenant, wanted, asked.action, dry_run=asked.dry_run, limit=asked.limit)
    return wire.reply(
        {
            "action": asked.action,
            "dryRun": asked.dry_run,
            "count": sum(each.refused is None for each in done),
            "more": more,
            "items": [
                {
                    "workflowId": str(each.run.id),
                    "status": each.run.status,
                    "continuesAs": each.continues_as,
                    "refused": each.refused,
                }
                for each in done
            ],
        }
    )
