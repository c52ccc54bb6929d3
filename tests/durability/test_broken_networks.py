"""Connections that are cut, reset, half-closed or slow, and servers that restart: runs end, nothing is done twice.

The workers reach Postgres and Redis through proxies; the tests themselves go straight to the servers.
"""

import atexit
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services import database, settings
from services.journal import attempts, event_feed, steps
from services.journal.runs import RunStatus, parse_id
from services.pipeline import embedded_servers, phases
from services.pipeline.embedded_servers import Addresses
from tests import cut_proxy, history_checker, runs
from tests import stack as stacks
from tests.cut_proxy import CutProxy
from tests.stack import Stack

pytestmark = pytest.mark.slow


@dataclass
class Network:
    """What lies between the workers and their servers."""

    postgres: CutProxy
    redis: CutProxy
    workers: Stack


@pytest.fixture(scope="module")
def _network(servers: Addresses, ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with (
        cut_proxy.in_front_of(servers.database_url) as postgres,
        cut_proxy.in_front_of(servers.redis_url) as redis,
        stacks.running(
            tmp_path_factory.mktemp("logs"),
            *stacks.WORKERS,
            DATABASE_URL=cut_proxy.through(postgres, servers.database_url),
            REDIS_URL=cut_proxy.through(redis, servers.redis_url),
            PERDURE_TOOLS="tests.side_effect_tools",
            SIDE_EFFECT_LEDGER=str(ledger),
        ) as workers,
    ):
        yield Network(postgres, redis, workers)


@pytest.fixture
def network(_network: Network, _workers: Stack) -> Iterator[Network]:
    """A whole network whose workers have no others beside them, who would do their work."""
    for kind in stacks.WORKERS:
        _workers.kill(kind)
    _network.workers.ensure(*stacks.WORKERS)
    yield _network
    for proxy in (_network.postgres, _network.redis):
        proxy.refusing, proxy.delay = False, 0.0


def load(count: int = 12) -> list[str]:
    """Runs of several kinds of steps, a few hundred ms each."""
    shapes = [
        runs.fan(4, seconds=0.3),
        runs.chain(4, tool="keyed_effect", seconds=0.1),
        runs.chain(3, tool="verified_effect", seconds=0.2),
        runs.chain(2, tool="waits", seconds=0.5),
    ]
    return [runs.start(shapes[number % len(shapes)]) for number in range(count)]


@contextmanager
def repeatedly(fault: Callable[[], None], every: float) -> Iterator[None]:
    """Call `fault` every so many seconds while the block lasts."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(every):
            fault()

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def all_end_well(started: list[str], ledger: Path) -> None:
    assert {runs.wait_for(run_id, timeout=90).status for run_id in started} == {RunStatus.SUCCEEDED}
    assert history_checker.faults(started, ledger) == []


def test_runs_go_on_after_five_seconds_without_redis(network: Network, ledger: Path) -> None:
    started = load()
    network.redis.refusing = True
    network.redis.cut()
    started += load()  # committed all the same
    threading.Event().wait(5)
    network.redis.refusing = False

    all_end_well(started, ledger)


def test_redis_connections_that_are_reset_every_second_cost_only_time(network: Network, ledger: Path) -> None:
    with repeatedly(network.redis.reset, every=1):
        started = load()
        for run_id in started:
            runs.wait_for(run_id, timeout=90)

    all_end_well(started, ledger)


@pytest.mark.parametrize("fault", ["reset", "half_close"])
def test_postgres_connections_that_break_under_load_lose_no_result(network: Network, ledger: Path, fault: str) -> None:
    with repeatedly(getattr(network.postgres, fault), every=0.7):
        started = load()
        for run_id in started:
            runs.wait_for(run_id, timeout=90)

    all_end_well(started, ledger)
    outcomes = {attempt.outcome for run_id in started for attempt in attempts.of_run(parse_id(run_id))}
    assert outcomes <= {"succeeded", "waiting", "handed_back"}


def test_slow_servers_are_waited_for(network: Network, ledger: Path) -> None:
    network.postgres.delay = network.redis.delay = 0.05
    started = load()

    all_end_well(started, ledger)


@pytest.mark.parametrize("step_id", ["first-of-all", "second-of-all"])
def test_the_lost_reply_to_a_result_is_made_good_and_the_line_goes_on(
    network: Network, ledger: Path, step_id: str
) -> None:
    line = [("first-of-all", "keyed_effect"), ("second-of-all", "unsafe_effect"), ("third", "keyed_effect")]
    before = [[], *([step] for step, _ in line)]
    network.postgres.lose_reply_to(step_id.encode())  # the first request that names it is the one that finishes it
    run_id = runs.start(
        {
            "steps": [
                {"id": step, "tool": tool, "arguments": {"seconds": 0}, "dependsOn": needs}
                for (step, tool), needs in zip(line, before, strict=False)
            ]
        }
    )

    assert runs.wait_for(run_id, timeout=15).status == RunStatus.SUCCEEDED
    assert network.postgres.replies_lost(step_id.encode())
    assert history_checker.faults([run_id], ledger) == []
    assert [step.attempt for step in steps.of_run(parse_id(run_id))] == [1, 1, 1]


@pytest.mark.parametrize("planned", [True, False])
def test_the_lost_reply_to_a_claim_leaves_nobody_owning_the_run(network: Network, ledger: Path, planned: bool) -> None:
    asked = {"plan": runs.chain(2, tool="keyed_effect")} if planned else {"request": "What is 2 + 3?"}
    run_id = runs.start(**asked, ring=False)
    network.postgres.lose_reply_to(run_id.encode())
    phases.start(run_id, planned=planned)

    assert runs.wait_for(run_id, timeout=15).status == RunStatus.SUCCEEDED
    assert network.postgres.replies_lost(run_id.encode())
    assert history_checker.faults([run_id], ledger) == []


def test_a_broker_that_restarts_with_nothing_in_it_is_filled_again(network: Network, ledger: Path) -> None:
    started = load()
    restart_broker(settings.current().redis)

    all_end_well(started, ledger)


def test_a_postgres_that_restarts_under_load_loses_nothing_that_was_done(network: Network, ledger: Path) -> None:
    started = load()
    postgres = embedded_servers.start_postgres(settings.current().home / "postgres")  # the one that runs
    postgres.stop()
    embedded_servers.start_postgres(settings.current().home / "postgres")
    database.dispose()  # this process's own connections, of which all are dead

    all_end_well(started, ledger)


def restart_broker(url: str) -> None:
    """Stop the Valkey behind `url` and start an empty one on its port, which serves the tests that follow too."""
    event_feed.client().shutdown(nosave=True)
    server = embedded_servers.start_valkey(settings.current().home / "valkey-again", urlsplit(url).port)
    atexit.register(server.stop)
