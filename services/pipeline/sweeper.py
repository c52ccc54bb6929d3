"""The sweeper: finds what is alive but has no living owner or message, and rings. Safe at any number of copies."""

import redis

from services import clock, database, failpoints, logs, settings
from services.errors import Unavailable
from services.failpoints import Failpoint
from services.journal import event_feed, queues, workers
from services.memory import vectors
from services.pipeline import (
    celery_app,
    due_schedules,
    flow_turns,
    heartbeat,
    held_runs,
    phases,
    teams,
    waiting_senders,
)

BATCH = 500
EPOCH_KEY = "perdure:epoch"
BELL_SECONDS = 20.0  # how often to ring for messages behind a backlog
MARK_SECONDS = 5.0  # how often to ask whether a queue needs a mark
_QUEUE_OF_PHASE = {
    **{phase: queue for queue, through in celery_app.PHASES.items() for phase in through},
    "execute": celery_app.REFLECTION,  # only what is settled: the next message of that run is reflection's
}

log = logs.get(__name__)
_last: float | None = None  # when the last sweep ended well, by clock.monotonic()
_began = clock.monotonic()
_silence_counts_from = 0.0
_looked_for_marks = 0.0
_rang_deliveries = 0.0


def sweep() -> int:
    """One pass; returns how many doorbells it rang. Raises Unavailable when Postgres is away.

    While the broker is away nothing is rung: it would be tried in vain, one timeout after the other.
    """
    global _last
    heartbeat.report_dead_neighbours()
    if _silence_counts():
        _release_the_dead()
        event_feed.publish(database.call("lose_hung_steps", BATCH))
        database.call("lose_hung_messages", BATCH)
    for _, events in database.call("expire_runs", BATCH):
        event_feed.publish(events)
    due_schedules.start_due()
    teams.flow_down()
    waiting_senders.wake()
    held_runs.begin_due()
    database.call("tell_of_steps", BATCH)
    wiped = _broker_was_wiped()
    if wiped is None:
        _last = clock.monotonic()
        return 0
    if wiped:
        log.info("The broker is new or lost its messages; everything ready is rung again")
        database.call("forget_rings")
    drained = _drained_queues()
    steps = database.call("sweep_steps", [celery_app.EXECUTION], drained, BATCH)
    if steps:
        failpoints.reached(Failpoint.STEPS_SWEPT)
    for run_id, step_id in steps:
        phases.grow_execution(run_id, [step_id])
    unowned = database.call("sweep_phases", database.json(_QUEUE_OF_PHASE), drained, BATCH)
    if unowned:
        failpoints.reached(Failpoint.PHASES_SWEPT)
    for run_id, phase in unowned:
        phases.ring(run_id, phase)
    if celery_app.REFLECTION in drained and vectors.any_pending():
        phases.ring_embedding()
    _ring_deliveries(drained)
    _send_marks()
    _last = clock.monotonic()
    return len(steps) + len(unowned) + flow_turns.sweep()


def age() -> float:
    """How many seconds ago a sweep of this process last ended well (or the process began, if none has)."""
    return clock.monotonic() - (_last or _began)


def _silence_counts() -> bool:
    """Whether a heart that is not heard, or a result that is late, means anything.

    Not after an interruption: Postgres may have been away, and then nobody could be heard. All are given the time of a
    lease to beat again and to write what they hold.
    """
    global _silence_counts_from
    lease = settings.current().lease_seconds
    if _last is not None and clock.monotonic() - _last > lease / 2:
        _silence_counts_from = clock.monotonic() + lease
    return clock.monotonic() >= _silence_counts_from


def _release_the_dead() -> None:
    for worker in workers.overdue(settings.current().lease_seconds):
        log.warning("A worker's heartbeat stopped; its work is given back", worker=worker)
        event_feed.publish(workers.release(worker, "lost"))


def _broker_was_wiped() -> bool | None:
    """Whether the key that marks this life of the broker is gone; whoever notices sets it anew. None: it is away."""
    try:
        return bool(event_feed.client().set(EPOCH_KEY, "1", nx=True))
    except redis.RedisError as error:
        log.warning("Redis does not answer; nothing is rung until it does", error=str(error))
        # another broker may be there all the same
        return None if settings.current().broker == settings.current().redis else False


def _drained_queues() -> list[str]:
    """The queues of which no message waits, neither in the broker nor in the hands of a worker.

    With a broker that can't tell, or none in reach: none of them, to be careful.
    """
    try:
        depths = queues.depths(list(celery_app.QUEUES))
    except Unavailable:
        return []
    if depths is None:
        return []
    held = workers.kinds_with_backlog()
    return [name for name, depth in depths.items() if depth == 0 and name not in held]


def _ring_deliveries(drained: list[str]) -> None:
    """Ring for messages that are due. Behind a backlog only now and then: the bells that wait there will do."""
    global _rang_deliveries
    due = database.call("sweep_messages", phases.MOST_DELIVERY_BELLS)
    waited = clock.monotonic() - _rang_deliveries
    if due and (celery_app.EXECUTION in drained or waited > BELL_SECONDS):
        _rang_deliveries = clock.monotonic()
        phases.ring_delivery(due if celery_app.EXECUTION in drained else 1)


def _send_marks() -> None:
    """Through each queue where something has waited for long: it may be never drained and yet have lost a message."""
    global _looked_for_marks
    if clock.monotonic() - _looked_for_marks < MARK_SECONDS:
        return
    _looked_for_marks = clock.monotonic()
    for queue in celery_app.QUEUES:
        mark = queues.mark_due(queue, [phase for phase, name in _QUEUE_OF_PHASE.items() if name == queue])
        if mark:
            phases.send_mark(queue, mark)
