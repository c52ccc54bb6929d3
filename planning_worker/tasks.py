"""The planning worker's only task."""

from planning_worker import planner
from planning_worker.celery import app
from services import logs
from services.journal import queues


@app.task(name="planning_worker.plan_run")
def plan_run(run_id: str) -> None:
    """Plan a run whose turn it is; anything else is a doubled or late message and does nothing."""
    with logs.bound(run_id=run_id):
        planner.plan_run(run_id)


@app.task(name="planning_worker.mark")
def mark(sent: str) -> None:
    """A mark came through the queue: what was sent before it is taken, or lost."""
    queues.mark_came("planning", sent)
