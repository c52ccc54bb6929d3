"""The planning worker's Celery app: `celery -A planning_worker worker -Q planning`."""

from services.pipeline import celery_app, worker_process

app = celery_app.create("planning_worker")
app.conf.include = ["planning_worker.tasks"]
worker_process.prepare(app, celery_app.PLANNING)
