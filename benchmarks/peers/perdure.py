"""Perdure as `make up` starts it: callers' plans through the real gateway, every process of the Procfile.

Measured in the project's own environment, not in the peers'.
"""

import http.client
import os
import threading
from typing import Any
from urllib.parse import urlsplit

import orjson

import migrations
from benchmarks import peers, workloads
from benchmarks.peers import Place
from services import settings
from services.journal import runs, steps
from services.pipeline import embedded_servers
from tests import stack as stacks

TENANT = "default"


class Peer:
    """See benchmarks.peers.Peer."""

    title = "Perdure"
    setup = "two gateway processes, one planning, execution (100 threads) and reflection worker, one scheduler"
    packages = ("celery", "flask", "psycopg")
    # what `make up` starts, and no more
    worker_counts, workers_at_kill, patience = (1,), 2, 30.0

    def __init__(self, place: Place) -> None:
        os.environ.update(
            PERDURE_HOME=str(place.home),
            PERDURE_EMBEDDED="1",
            PERDURE_AUTH="off",
            PERDURE_TOOLS="benchmarks.tools",
            DATABASE_URL=embedded_servers.hand_over(place.database_url),
            REDIS_URL=place.redis_url,
        )
        settings.current.cache_clear()
        self.place = place

    def start(self, workers: int) -> None:
        """See Peer."""
        migrations.upgrade()
        self.stack = stacks.Stack(self.place.home)
        for _ in range(workers - 1):
            self.stack.start("execution")
        self.stack.start("execution")
        self.stack.ensure("web", *stacks.WORKERS)
        self.stack.wait_for_workers(list(stacks.WORKERS))
        self._mine = threading.local()  # a connection for each thread: the leanest client, for it shares the processors

    def submit(self, workload: str, run: str) -> str:
        """See Peer."""
        plan = workloads.plan(workload, tool="bench_sleep")
        if not hasattr(self._mine, "connection"):
            self._mine.connection = http.client.HTTPConnection(urlsplit(self.stack.url).netloc, timeout=60)
        self._mine.connection.request(
            "POST", "/api/agent/start", orjson.dumps({"plan": plan}), {"Content-Type": "application/json"}
        )
        answer = self._mine.connection.getresponse()
        body = answer.read()
        assert answer.status == 202, body
        return str(orjson.loads(body)["workflowId"])

    def wait(self, handle: str, timeout: float) -> None:
        """See Peer."""
        peers.until(lambda: self._finished(handle), timeout)

    def _finished(self, handle: str) -> bool:
        run = runs.get(TENANT, handle)
        if run.finished_at:
            assert run.status == "succeeded", run.error
        return run.finished_at is not None

    def seconds_of_steps(self, handle: str) -> float:
        """From the first step's start to the last one's end, as the journal has it."""
        done = steps.of_run(handle)
        first = min(step.started_at for step in done if step.started_at)
        last = max(step.finished_at for step in done if step.finished_at)
        return float((last - first).total_seconds())

    def revive(self, handle: Any) -> None:
        """A new worker in the place of the dead one."""
        self.stack.start("execution")

    def stop(self) -> None:
        """See Peer."""
        self.stack.stop()
