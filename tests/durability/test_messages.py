"""What the broker carries: few messages, and small ones."""

from pathlib import Path
from typing import Any

import redis

from services import settings
from services.journal import steps
from services.journal.runs import RunStatus, parse_id
from services.pipeline import phases
from tests import runs
from tests.stack import Stack


def sent() -> int:
    """How many messages were put into a queue since the server's start."""
    commands = redis.Redis.from_url(settings.current().redis).info("commandstats")
    return int(commands.get("cmdstat_lpush", {"calls": 0})["calls"])


def test_steps_that_are_ready_together_run_side_by_side_without_a_message_each(workers: Stack, ledger: Path) -> None:
    before = sent()
    run_id = runs.start(runs.fan(8, seconds=0.5))
    run = runs.wait_for(run_id)

    assert run.status == RunStatus.SUCCEEDED
    assert sent() - before <= 3  # execute_run, reflect_on_run, and perhaps a tick of something else
    times = {"begin": [0.0], "end": [0.0]}
    for line in ledger.read_text().splitlines():
        of_run, _, _, noted, at = line.split()
        if of_run == run_id and noted in times:
            times[noted].append(float(at))
    assert len(times["begin"]) == 9
    assert max(times["begin"][1:]) < min(times["end"][1:])


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
    server = redis.Redis.from_url(settings.current().redis)
    with server.monitor() as monitor:
        run_id = runs.start(request="What is 17% of 2340, and what time is it in Tokyo?")
        phases.grow_execution(run_id, ["s1"])
        runs.wait_for(run_id)
        server.echo("the end")
        lengths = {}
        for command in monitor.listen():
            if command["command"].startswith("ECHO the end"):
                break
            if command["command"].startswith("LPUSH"):
                _, queue, message = command["command"].split(" ", 2)
                lengths[queue] = max(lengths.get(queue, 0), len(message.encode().decode("unicode_escape")))

    assert set(lengths) == {"planning", "execution", "reflection"}
    assert max(lengths.values()) <= 1024
