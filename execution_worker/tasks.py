"""The execution worker's tasks: begin a run's execution; run a step and what follows from it; deliver messages."""

from execution_worker import deliveries, strands, turns
from execution_worker.celery import app
from services import logs
from services.journal import queues


@app.task(name="execution_worker.execute_run")
def execute_run(run_id: str) -> None:
    """Begin the execution of a planned run: the first member of its chord."""
    with logs.bound(run_id=run_id), turns.taken():
        strands.begin_run(run_id)


@app.task(name="execution_worker.run_step")
def run_step(run_id: str, step_id: str) -> None:
    """Run a ready step, and in place the line of steps that it opens. Never raises: failures are rows."""
    with logs.bound(run_id=run_id), turns.taken():
        strands.run_step(run_id, step_id)


@app.task(name="execution_worker.deliver")
def deliver() -> None:
    """Deliver the messages that are due, one after the other, until there are none."""
    with turns.taken():
        deliveries.deliver()


@app.task(name="execution_worker.mark")
def mark(sent: str) -> None:
    """A mark came through the queue: what was sent before it is taken, or lost."""
    queues.mark_came("execution", sent)
