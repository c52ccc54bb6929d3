"""The reflection worker's tasks: the two last phases of every run, and the vectors of new memories."""

from reflection_worker import critic, embedding, remembrance
from reflection_worker.celery import app
from services import logs
from services.journal import queues


@app.task(name="reflection_worker.reflect_on_run")
def reflect_on_run(run_id: str) -> None:
    """Judge and answer a settled run; anything else is an early, doubled or late message and does nothing."""
    with logs.bound(run_id=run_id):
        critic.reflect(run_id)


@app.task(name="reflection_worker.remember_run")
def remember_run(run_id: str) -> None:
    """Store what the run is worth remembering for, and end it."""
    with logs.bound(run_id=run_id):
        remembrance.remember(run_id)


@app.task(name="reflection_worker.embed_memories")
def embed_memories() -> None:
    """Embed the memories that have no vector yet."""
    embedding.embed_pending()


@app.task(name="reflection_worker.mark")
def mark(sent: str) -> None:
    """A mark came through the queue: what was sent before it is taken, or lost."""
    queues.mark_came("reflection", sent)
