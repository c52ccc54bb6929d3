"""The reflection worker's Celery app: `celery -A reflection_worker worker -Q reflection`."""

from services.pipeline import celery_app, worker_process

app = celery_app.create("reflection_worker")
app.conf.include = ["reflection_worker.tasks"]
worker_process.prepare(app, celery_app.REFLECTION)
