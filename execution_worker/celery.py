"""The execution worker's Celery app: `celery -A execution_worker worker -Q execution -P threads`."""

from typing import Any

from celery.signals import worker_init

from services.pipeline import celery_app, worker_process

app = celery_app.create("execution_worker")
app.conf.include = ["execution_worker.tasks"]


@worker_init.connect(weak=False)
def _load_tools(**_: Any) -> None:
    from execution_worker import cancellation, registry, turns
    from execution_worker.external import loading

    registry.load()
    loading.start()
    cancellation.start()
    worker_process.counts_as_backlog(turns.waiting)


worker_process.prepare(app, celery_app.EXECUTION)  # after the tools: whoever is registered can run steps
