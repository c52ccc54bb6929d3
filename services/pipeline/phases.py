"""The phases of a run on one screen, and the only place that builds a chain or a chord.

    gateway ──start──▶ plan_run │ execute_run        a chain; a caller's plan needs no planning and skips the first link
                                  └─ opens a chord, as its first member; run_step, run_step … join while it runs
                                  (or has ended the run by itself, and opens none)
                                       └─▶ reflect_on_run      its body ──▶ remember_run, if there is something to keep

Every message is a doorbell: "look at run R, step S". The journal decides what is true; a message may be lost, doubled
or late without harm. Signatures go by name, so that no process has to import another.
"""

from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from celery import Celery, Signature, chain, current_app, current_task
from kombu.exceptions import OperationalError as BrokerError
from redis import RedisError

from services import failpoints, logs
from services.errors import Unavailable
from services.failpoints import Failpoint
from services.pipeline import celery_app, growing_chord, signed_tasks

MOST_DELIVERY_BELLS = 16
BROKER_AWAY = (BrokerError, RedisError, OSError)

log = logs.get(__name__)


def start(run_id: str, *, planned: bool = False) -> None:
    """Ring the first phase of a committed run. Never raises: if the broker is away, the sweeper rings.

    planned: the run brought its own plan.
    """
    execute = _member(run_id, "execution_worker.execute_run")
    if planned:
        _publish(execute, run_id)
    else:
        # compressed, since it carries the execution's message and, in that, the chord's body
        _publish(chain(_task("planning_worker.plan_run", run_id), execute, app=_app()), run_id, compression="zlib")


def open_execution(run_id: str) -> None:
    """Open the run's chord, with the calling task as its first member; others may have joined and returned before."""
    try:
        growing_chord.open(_app(), _chord_id(run_id))
    except BROKER_AWAY as error:
        _sweeper_rings(run_id, error)


def leave_execution() -> None:
    """The calling task is no member of a chord: it has done all of its run, and nobody is left to wait for."""
    current_task.request.chord = None


def grow_execution(run_id: str, step_ids: list[str]) -> None:
    """Add steps that became ready to the run's chord, each once however often this is repeated."""
    for step_id in step_ids:
        member = _member(run_id, "execution_worker.run_step", step_id)
        try:
            growing_chord.add_member(_app(), _chord_id(run_id), str(member.options["task_id"]))
        except BROKER_AWAY as error:
            _sweeper_rings(run_id, error)
        failpoints.reached(Failpoint.MEMBER_ADDED)
        _publish(member, run_id)


def ring(run_id: str, phase: str) -> None:
    """Ring a phase: plan, execute, reflect or remember."""
    if phase == "plan":
        start(run_id)
    elif phase == "execute":
        start(run_id, planned=True)
    elif phase == "reflect":
        _publish(_task("reflection_worker.reflect_on_run", run_id), run_id)
    elif phase == "remember":
        _publish(_task("reflection_worker.remember_run", run_id), run_id)


def ring_embedding() -> None:
    """New memories or tools want vectors."""
    _publish(_task("reflection_worker.embed_memories"), "")


def ring_delivery(times: int = 1) -> None:
    """Messages are due: so many calls of workers take what there is."""
    for _ in range(min(times, MOST_DELIVERY_BELLS)):
        _publish(_task("execution_worker.deliver"), "")


def send_mark(queue: str, mark: str) -> None:
    """Send a mark through a queue (see services/journal/queues.py)."""
    _publish(_task(f"{queue}_worker.mark", mark), "")


def listen_again(kind: str) -> None:
    """Tell all workers of that kind to take messages from their queue, whatever made them stop.

    Raises Unavailable when none of them answers.
    """
    try:
        replies = _app().control.add_consumer(kind, pattern=f"{kind}*@*", matcher="glob", reply=True, timeout=2)
    except BROKER_AWAY as error:
        raise Unavailable(f"The broker does not answer: {error}.") from error
    if not replies:
        raise Unavailable(f"No {kind} worker hears what it is told; restart it.")


def _member(run_id: str, task: str, *ids: str) -> Signature:
    """A member of the run's chord. Its id follows from what it is: sent often, it counts once."""
    return _task(task, run_id, *ids).set(
        group_id=_chord_id(run_id),
        chord=_task("reflection_worker.reflect_on_run", run_id),
    )


def _task(name: str, *ids: str) -> Signature:
    # without ignore_result every publish would subscribe to a channel for a result that nobody reads
    options = {"ignore_result": True, "task_id": signed_tasks.id_of(name, ids)}
    return _app().signature(name, args=ids, immutable=True, options=options)


def _chord_id(run_id: str) -> str:
    return str(uuid5(UUID(run_id), "execution"))


def _publish(signature: Signature, run_id: str, **options: Any) -> None:
    try:
        signature.apply_async(retry=False, **options)
    except BROKER_AWAY as error:
        _sweeper_rings(run_id, error)


def _sweeper_rings(run_id: str, error: Exception) -> None:
    log.warning("The broker did not take a message; the sweeper will ring", run_id=run_id, error=str(error))


@lru_cache(maxsize=1)
def _app() -> Celery:
    """The app of the worker that runs in this process, or one to publish with."""
    running = current_app._get_current_object()
    return running if running.conf.broker_url else celery_app.create("publisher")
