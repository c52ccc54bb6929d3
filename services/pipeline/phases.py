"""The phases of a run on one screen, and the only place that builds a chain or a chord.

    gateway ──start──▶ plan_run │ execute_run                        a chain
                                   └─▶ chord( run_step, run_step … )    grows while steps become ready
                                          └─▶ reflect_on_run │ remember_run    its body, a chain

Every message is a doorbell: "look at run R, step S". The journal decides what is true; a message may be lost, doubled
or late without harm. Signatures go by name, so that no process has to import another.
"""

from functools import lru_cache
from uuid import UUID, uuid5

from celery import Celery, Signature, chain, chord, group
from kombu.exceptions import OperationalError as BrokerError
from redis import RedisError

from services import logs
from services.pipeline import celery_app, growing_chord

log = logs.get(__name__)


def start(run_id: str) -> None:
    """Ring the first phase of a committed run. Never raises: if the broker is away, the sweeper rings."""
    _publish(chain(_task("planning_worker.plan_run", run_id), _task("execution_worker.execute_run", run_id)), run_id)


def open_execution(run_id: str, step_ids: list[str]) -> None:
    """Open the chord of a run's execution with its first ready steps as members."""
    header = group([_member(run_id, step_id) for step_id in step_ids], app=_app())
    header.set(task_id=_chord_id(run_id))
    try:
        # run() and not apply_async(), which would turn a chord of one member into a chain that can't grow
        chord(header, _body(run_id), app=_app()).run(header, _body(run_id), ())
    except (BrokerError, RedisError, OSError) as error:
        _sweeper_rings(run_id, error)


def grow_execution(run_id: str, step_ids: list[str]) -> None:
    """Add steps that became ready to the run's chord, each once however often this is repeated."""
    for step_id in step_ids:
        member = _member(run_id, step_id)
        member.set(group_id=_chord_id(run_id), chord=_body(run_id))
        try:
            growing_chord.add_member(_app(), _chord_id(run_id), str(member.options["task_id"]))
        except (RedisError, OSError) as error:
            _sweeper_rings(run_id, error)
        _publish(member, run_id)


def ring(run_id: str, phase: str) -> None:
    """Ring a phase that nobody owns (the sweeper's part, and that of whoever resumes or forks a run)."""
    if phase == "plan":
        start(run_id)
    elif phase == "execute":
        _publish(_task("execution_worker.execute_run", run_id), run_id)
    elif phase == "reflect":
        _publish(_body(run_id), run_id)
    elif phase == "remember":
        _publish(_task("reflection_worker.remember_run", run_id), run_id)


def _body(run_id: str) -> Signature:
    return chain(
        _task("reflection_worker.reflect_on_run", run_id), _task("reflection_worker.remember_run", run_id), app=_app()
    )


def _member(run_id: str, step_id: str) -> Signature:
    """A step's message. Its id follows from run and step, so that the chord counts it once however often it is sent."""
    return _task("execution_worker.run_step", run_id, step_id).set(task_id=str(uuid5(UUID(run_id), step_id)))


def _task(name: str, *ids: str) -> Signature:
    return _app().signature(name, args=ids, immutable=True)


def _chord_id(run_id: str) -> str:
    return str(uuid5(UUID(run_id), "execution"))


def _publish(signature: Signature, run_id: str) -> None:
    try:
        signature.apply_async(retry=False)
    except (BrokerError, RedisError, OSError) as error:
        _sweeper_rings(run_id, error)


def _sweeper_rings(run_id: str, error: Exception) -> None:
    log.warning("The broker did not take a message; the sweeper will ring", run_id=run_id, error=str(error))


@lru_cache(maxsize=1)
def _app() -> Celery:
    """The app of the worker that runs in this process, or one to publish with."""
    import celery

    running = celery.current_app._get_current_object()
    return running if running.conf.broker_url else celery_app.create("publisher")
