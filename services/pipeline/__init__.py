"""How a run moves: the Celery app, the phases (the only canvases), heartbeats, the sweeper, the embedded servers."""
