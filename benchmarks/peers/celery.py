"""Bare Celery: the same canvases by hand, nothing durable but what the broker holds. The price of its messages."""

import os
import sys
import time
from typing import Any

from celery import Celery, chain, chord, group
from redis import Redis

from benchmarks import effects, peers, workloads
from benchmarks.peers import NotHere, Place, Processes

URL = "BENCH_BROKER"
app = Celery("bench", broker=os.environ.get(URL, "memory://"), backend=os.environ.get(URL))
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    result_backend_transport_options={"result_chord_ordered": False},
)


@app.task(name="step")
def one_step(workload: str, run: str, step: str) -> str:
    """One step."""
    return effects.work(workload, run, step)


class Peer:
    """See benchmarks.peers.Peer."""

    title = "bare Celery, threads, nothing durable"
    setup = "chain and chord, 100 threads, late acknowledgement, prefetch 1, results in the same Valkey"
    packages = ("celery", "kombu", "redis")
    worker_counts, workers_at_kill, patience = (1, 2), 2, 15.0

    def __init__(self, place: Place) -> None:
        self.place = place
        self.processes = Processes(place.home)

    def start(self, workers: int) -> None:
        """See Peer."""
        app.conf.update(broker_url=self.place.redis_url, result_backend=self.place.redis_url)
        self._redis = Redis.from_url(self.place.redis_url)
        for _ in range(workers):
            self._start_one()
        until = time.monotonic() + 60
        while len(app.control.ping(timeout=0.5)) < workers:
            if time.monotonic() > until:
                raise NotHere(f"its workers do not answer; see {self.place.home}/workers.log")

    def _start_one(self) -> None:
        name = f"bench{len(self.processes.running)}@%h"
        options = "-P threads -c 100 --without-gossip --without-mingle --without-heartbeat -l warning"
        program = (sys.executable, "-m", "celery", "-A", "benchmarks.peers.celery", "worker", "-n", name)
        self.processes.start(*program, *options.split(), env={URL: self.place.redis_url})

    def submit(self, workload: str, run: str) -> str:
        """See Peer."""
        return str(canvas(workload, run).apply_async().id)

    def wait(self, handle: str, timeout: float) -> None:
        """See Peer."""
        peers.until(lambda: self._finished(handle), timeout)

    def _finished(self, handle: str) -> bool:
        return bool(self._redis.exists(f"celery-task-meta-{handle}"))

    def revive(self, handle: str) -> None:
        """A new worker; what the dead one held comes back after the broker's visibility timeout (an hour)."""
        self._start_one()

    def stop(self) -> None:
        """See Peer."""
        self.processes.stop()


def canvas(workload: str, run: str) -> Any:
    """The plan as Celery says it: a line is a chain, a layer a group, and what follows a layer its chord's body."""

    def signature(step: str) -> Any:
        return one_step.si(workload, run, step)

    waves = workloads.waves(workload)
    if all(len(wave) == 1 for wave in waves):
        return chain(*(signature(wave[0]) for wave in waves))
    # from the last wave backwards: each layer is a chord whose body is all that comes later
    later: Any = signature(waves[-1][0])
    for wave in reversed(waves[:-1]):
        layer = group(signature(step) for step in wave)
        later = chord(layer, later) if len(wave) > 1 else chain(signature(wave[0]), later)
    return later


if __name__ == "__main__":
    app.start()
