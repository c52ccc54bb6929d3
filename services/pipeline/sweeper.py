"""The sweeper: finds what is alive but has no living owner or message, and rings. Safe at any number of copies."""

import redis

from services import database, failpoints, logs, settings
from services.failpoints import Failpoint
from services.journal import event_feed, workers
from services.memory import vectors
from services.pipeline import celery_app, flow_turns, heartbeat, phases

BATCH = 500
EPOCH_KEY = "perdure:epoch"
_PHASE_QUEUES = {
    "plan": celery_app.PLANNING,
    "reflect": celery_app.REFLECTION,
    "remember": celery_app.REFLECTION,
}

log = logs.get(__name__)


def sweep() -> int:
    """One pass; returns how many doorbells it rang. Raises Unavailable when Postgres is away."""
    _release_the_dead()
    event_feed.publish(database.call("lose_hung_steps", BATCH))
    if _broker_was_wiped():
        log.info("The broker is new or lost its messages; everything ready is rung again")
        database.call("forget_rings")
    drained = _drained_queues()
    steps = database.call("sweep_steps", drained, BATCH)
    if steps:
        failpoints.reached(Failpoint.STEPS_SWEPT)
    for run_id, step_id, _queue in steps:
        phases.grow_execution(run_id, [step_id])
    unowned = database.call(
        "sweep_phases", [phase for phase, queue in _PHASE_QUEUES.items() if queue in drained], BATCH
    )
    if unowned:
        failpoints.reached(Failpoint.PHASES_SWEPT)
    for run_id, phase in unowned:
        phases.ring(run_id, phase)
    if celery_app.REFLECTION in drained and vectors.any_pending():
        phases.ring_embedding()
    return len(steps) + len(unowned) + flow_turns.sweep()


def _release_the_dead() -> None:
    heartbeat.report_dead_neighbours()
    for worker in workers.overdue(settings.current().lease_seconds):
        log.warning("A worker's heartbeat stopped; its work is given back", worker=worker)
        event_feed.publish(workers.release(worker, "lost"))


def _broker_was_wiped() -> bool:
    """Whether the key that marks this life of the broker is gone; whoever notices sets it anew."""
    try:
        return bool(event_feed.client().set(EPOCH_KEY, "1", nx=True))
    except redis.RedisError:
        return False  # away, not wiped; it will answer again


def _drained_queues() -> list[str]:
    """The queues of which no message waits, neither in the broker nor in the hands of a worker.

    With another broker than Redis, or none in reach: none of them, to be careful.
    """
    if settings.current().broker != settings.current().redis:
        return []
    names = [celery_app.PLANNING, celery_app.EXECUTION, celery_app.REFLECTION]
    try:
        with event_feed.client().pipeline(transaction=False) as pipe:
            for name in names:
                pipe.llen(name)
            lengths = dict(zip(names, pipe.execute(), strict=True))
    except redis.RedisError:
        return []
    held = {worker.kind for worker in workers.alive() if worker.backlog}
    return [name for name in names if lengths[name] == 0 and name not in held]
