"""What a live run depends on outside of itself: the workers, their troubles, the broker, Postgres. Read by `why`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text

from services import clock, database, settings
from services.approvals import approvals
from services.approvals.approvals import Approval
from services.delivery import messages
from services.delivery.messages import Message
from services.errors import Unavailable
from services.journal import delegations, queues, reports, steps
from services.journal.delegations import Delegation
from services.journal.reports import Report
from services.journal.runs import Run
from services.journal.steps import Step, StepStatus
from services.journal.workers import Worker
from services.tools.catalogue import CataloguedTool

READ_ONLY = "select pg_is_in_recovery() or current_setting('transaction_read_only')::bool"


@dataclass(frozen=True)
class View:
    """A run and its surroundings at one moment, by the database's clock.

    asked: what a person is asked, by step. broker: what is wrong with it, if anything. depths: messages that wait in
    each queue, if that can be seen.
    read_only: Postgres takes no writes. parent: by whom it was delegated. children: what it has delegated, with their
    statuses. sent: the oldest message that a step waits for, by step.
    """

    run: Run
    steps: list[Step]
    workers: dict[str, Worker]
    tools: set[str]
    asked: dict[str, Approval]
    sent: dict[str, Message]
    now: datetime
    read_only: bool
    parent: Delegation | None
    children: list[tuple[Delegation, str]]
    reports: list[Report]
    broker: str | None
    depths: dict[str, int]

    def those(self, status: StepStatus) -> list[Step]:
        """The run's steps of that status."""
        return [step for step in self.steps if step.status == status]

    def living(self, kind: str) -> list[Worker]:
        """The workers of that kind whose heart beats."""
        oldest = self.now - timedelta(seconds=settings.current().lease_seconds)
        return [worker for worker in self.workers.values() if worker.kind == kind and worker.beat_at >= oldest]

    def trouble_of(self, worker: str | None, part: str) -> str | None:
        """What this worker suffers from, if it does."""
        found = [report.sentence for report in self.reports if report.worker == worker and report.part == part]
        return found[0] if found else None

    def trouble_of_all(self, kind: str) -> Report | None:
        """What all workers of that kind suffer from; None as long as one of them is well."""
        found = [report for report in self.reports if report.kind == kind and report.part == "postgres"]
        troubled = {report.worker for report in found}
        well = [worker for worker in self.living(kind) if worker.id not in troubled]
        return found[0] if found and not well else None

    def deaf(self, kind: str, seconds: float) -> list[Worker]:
        """The living workers of that kind, if all of them have room and have begun nothing for so long."""
        oldest = self.now - timedelta(seconds=seconds)
        found = self.living(kind)
        idle = [each for each in found if each.busy < each.slots and (each.taken_at or each.started_at) < oldest]
        return found if len(idle) == len(found) else []

    def sleep_of(self, step: Step) -> str:
        """What a sleeping step waits for."""
        message, due, what = self.sent.get(step.id), clock.to_wire(step.due_at), f"Step {step.id} ({step.tool})"
        if step.error:
            return f"{what} is tried again at {due}, after: {step.error.get('detail')}"
        if message is None:
            return f"{what} sleeps until {due}."
        return f"Step {step.id} waits for its message {message.id} to {message.url}, {messages.standing(message)}."

    def ago(self, moment: datetime | None) -> str:
        """How long ago that was, in words."""
        return f"{max((self.now - moment).total_seconds(), 0):.1f} s ago" if moment else "never"


def look(run: Run) -> View:
    """The run's surroundings now. Raises Unavailable when Postgres can't be read."""
    found = steps.of_run(run.id)
    broker, depths = None, None
    try:
        depths = queues.depths(["planning", "execution", "reflection"])
    except Unavailable as error:
        broker = error.detail
    with database.session() as session:
        return View(
            run=run,
            steps=found,
            workers={worker.id: worker for worker in session.scalars(select(Worker))},
            tools=set(session.scalars(select(CataloguedTool.name))),
            asked={asked.step_id: asked for asked, _ in approvals.listed(run.tenant, run_id=run.id)},
            sent={str(each.step_id): each for each in messages.awaited(run.id)},
            now=session.scalar(select(func.clock_timestamp())) or clock.now(),
            read_only=bool(session.scalar(text(READ_ONLY))),
            parent=delegations.of_child(run.id),
            children=delegations.of_parent(run.id),
            reports=[] if broker else reports.heard(),
            broker=broker,
            depths=depths or {},
        )
