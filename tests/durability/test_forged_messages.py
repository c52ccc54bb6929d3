"""Whoever can write to the broker, but lacks the installation's key, can't make a worker do anything."""

import pickle
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery import Celery, chain

from services import settings
from services.journal.runs import RunStatus
from services.pipeline import signed_tasks, transport
from tests import runs
from tests.stack import Stack


@pytest.fixture
def attacker() -> Celery:
    """Knows the broker, the queues and the names of the tasks."""
    transport.install()  # this process pools connections, also to ring rightly with
    app = Celery("attacker", broker=settings.current().broker, set_as_current=False)
    app.conf.update(attacker_s_queues())
    return app


def attacker_s_queues() -> dict[str, str]:
    """RabbitMQ tells everybody off who declares a queue as another kind than it is."""
    same = settings.current().broker == settings.current().redis
    return {} if same else {"task_create_missing_queue_type": "quorum"}


def ring(attacker: Celery, task: str, *arguments: Any, **options: Any) -> None:
    attacker.send_task(task, args=arguments, queue=task.partition("_")[0], ignore_result=True, **options)


def others_work(workers: Stack) -> None:
    """What was sent before this has come to a worker when it returns."""
    assert runs.wait_for(runs.start(request="What is 2 + 3?")).status == RunStatus.SUCCEEDED


def test_a_message_that_is_not_signed_does_nothing(workers: Stack, ledger: Path, attacker: Celery) -> None:
    run_id = runs.start(runs.chain(1, tool="unsafe_effect"), ring=False)
    workers.kill("scheduler")  # or it would ring the run rightly
    ring(attacker, "execution_worker.execute_run", run_id)
    ring(attacker, "execution_worker.execute_run", run_id, task_id=str(uuid4()))
    ring(attacker, "execution_worker.run_step", run_id, "s0")
    others_work(workers)

    assert runs.ledger(ledger, run_id, "begin") == {}
    assert "nobody of this installation has signed" in (workers.logs / "execution.log").read_text()
    workers.start("scheduler")
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED


def test_a_signed_message_with_other_ids_put_in_does_nothing(workers: Stack, ledger: Path, attacker: Celery) -> None:
    mine = runs.start(runs.chain(1, tool="noop"))
    victim = runs.start(runs.chain(1, tool="unsafe_effect"), ring=False)
    workers.kill("scheduler")
    heard = signed_tasks.id_of("execution_worker.execute_run", (mine,))
    ring(attacker, "execution_worker.execute_run", victim, task_id=heard)
    ring(attacker, "execution_worker.run_step", mine, "s0", task_id=heard)
    others_work(workers)

    assert runs.ledger(ledger, victim, "begin") == {}
    workers.start("scheduler")
    runs.wait_for(victim)


def test_what_a_replayed_message_carries_along_does_nothing(workers: Stack, ledger: Path, attacker: Celery) -> None:
    mine = runs.start(runs.chain(1, tool="noop"))
    runs.wait_for(mine)
    victim = runs.start(runs.chain(1, tool="unsafe_effect"), ring=False)
    workers.kill("scheduler")
    heard = signed_tasks.id_of("execution_worker.execute_run", (mine,))
    first = attacker.signature("execution_worker.execute_run", args=(mine,), immutable=True, queue="execution")
    then = attacker.signature("execution_worker.execute_run", args=(victim,), immutable=True, queue="execution")
    chain(first.set(task_id=heard), then, app=attacker).apply_async(ignore_result=True)
    others_work(workers)

    assert runs.ledger(ledger, victim, "begin") == {}
    workers.start("scheduler")
    runs.wait_for(victim)


def test_no_worker_unpickles(workers: Stack, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "exploded",)

    forged = Celery("attacker", broker=settings.current().broker, set_as_current=False)
    forged.conf.update(task_serializer="pickle", accept_content=["pickle"], **attacker_s_queues())
    ring(forged, "execution_worker.execute_run", Bomb())
    redis.Redis.from_url(settings.current().redis).lpush("execution", pickle.dumps(Bomb()))
    workers.kill("execution")
    workers.ensure("execution")
    others_work(workers)

    assert not (tmp_path / "exploded").exists()
