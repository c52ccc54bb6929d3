"""What the broker carries: few messages, and small ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from services import settings
from services.journal import steps
from services.journal.runs import RunStatus, parse_id
from services.pipeline import phases
from tests import runs
from tests.stack import Stack


@contextmanager
def overheard() -> Iterator[list[tuple[str, str]]]:
    """The messages that are put into queues during the block: queue and content."""
    if settings.current().broker != settings.current().redis:
        pytest.skip("only Redis shows what is put into its queues")
    server = redis.Redis.from_url(settings.current().redis)
    found: list[tuple[str, str]] = []
    with server.monitor() as monitor:
        yield found
        server.echo("the end")
        for command in monitor.listen():
            if command["command"].startswith("ECHO the end"):
                return
            if command["command"].startswith("LPUSH"):
                _, queue, message = command["command"].split(" ", 2)
                found.append((queue, message.encode().decode("unicode_escape")))


def test_steps_that_are_ready_together_run_side_by_side_without_a_message_each(workers: Stack, ledger: Path) -> None:
    with overheard() as messages:
        run_id = runs.start(runs.fan(8, seconds=0.5))
        run = runs.wait_for(run_id)

    assert run.status == RunStatus.SUCCEEDED
    assert not [message for _, message in messages if "run_step" in message]
    times: dict[str, list[float]] = {"begin": [], "end": []}
    for line in ledger.read_text().splitlines():
        of_run, _, _, noted, at = line.split()
        if of_run == run_id:
            times[noted].append(float(at))
    assert len(times["begin"]) == 8
    assert max(times["begin"]) < min(times["end"])


def test_two_workers_share_what_is_ready_together(workers: Stack) -> None:
    second = workers.start("execution")
    try:
        runs.wait_until(lambda: _busy_workers(runs.fan(8, seconds=0.3)) == 2, timeout=60)
    finally:
        second.kill()
        second.wait()


def _busy_workers(plan: dict[str, Any]) -> int:
    """How many workers the steps of a run of this plan went to."""
    run_id = runs.start(plan)
    runs.wait_for(run_id)
    return len({step.worker for step in steps.of_run(parse_id(run_id))})


def test_no_message_is_longer_than_a_kilobyte(workers: Stack) -> None:
    with overheard() as messages:
        run_id = runs.start(request="What is 17% of 2340, and what time is it in Tokyo?")
        phases.grow_execution(run_id, ["s1"])
        runs.wait_for(run_id)

    assert {queue for queue, _ in messages} == {"planning", "execution", "reflection"}
    assert max(len(message) for _, message in messages) <= 1024
