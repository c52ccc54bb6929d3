"""A soak: steady load, random faults from a printed seed, then the history checker over every run.

`make soak MINUTES=5 [SEED=n]`, or `python -m tests.durability.soak`. Own embedded servers, own workers behind proxies;
nothing outside of this process and its children is touched. Exit code 1 when an invariant was broken.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import migrations
from services import settings
from services.journal import event_feed, steps, surgery
from services.journal import runs as journal_runs
from services.pipeline import embedded_servers, operating
from tests import cut_proxy, history_checker, runs
from tests import stack as stacks
from tests.cut_proxy import CutProxy
from tests.stack import Stack

MOST_AT_ONCE = 30  # live runs, so that the load stays steady however slow the machine is
PATIENCE = 120.0  # seconds until the last run must have ended


class Soak:
    """A stack under load and under fire. `faults` counts what was done to it."""

    def __init__(self, workers: Stack, postgres: CutProxy, redis: CutProxy, chance: random.Random) -> None:
        self.workers = workers
        self.started: list[str] = []
        self.faults: Counter[str] = Counter()
        self.doubts = 0
        self._alive: set[str] = set()
        self._chance = chance
        self._kinds: dict[str, Callable[[], None]] = {
            **{f"kill {kind}": lambda kind=kind: self._end(kind, signal.SIGKILL) for kind in stacks.WORKERS},
            **{f"stop {kind}": lambda kind=kind: self._end(kind, signal.SIGTERM) for kind in stacks.WORKERS},
            "flushall": event_feed.client().flushall,
            "cut redis": redis.cut,
            "reset redis": redis.reset,
            "cut postgres": postgres.cut,
            "reset postgres": postgres.reset,
            "half-close postgres": postgres.half_close,
        }

    def storm(self, seconds: float) -> None:
        """Load and faults for so long."""
        until = time.monotonic() + seconds
        next_fault = time.monotonic() + 2
        while time.monotonic() < until:
            self._feed()
            self._look_after()
            if time.monotonic() >= next_fault:
                name = self._chance.choice(sorted(self._kinds))
                self.faults[name] += 1
                self._kinds[name]()
                next_fault = time.monotonic() + self._chance.uniform(0.5, 4)
            time.sleep(0.1)

    def calm(self) -> None:
        """No more faults: wait until every run has ended."""
        until = time.monotonic() + PATIENCE
        while self._alive and time.monotonic() < until:
            self._look_after()
            time.sleep(0.2)

    def _feed(self) -> None:
        for _ in range(min(3, MOST_AT_ONCE - len(self._alive))):
            run_id = runs.start(**self._some_run(), ring=self._chance.random() < 0.95)
            self.started.append(run_id)
            self._alive.add(run_id)

    def _some_run(self) -> dict[str, Any]:
        length, seconds = self._chance.randint(1, 6), round(self._chance.uniform(0, 0.5), 2)
        tools = ("keyed_effect", "slow_effect", "verified_effect", "unsafe_effect", "waits")
        shape = self._chance.choice((runs.chain, runs.fan))
        if self._chance.random() < 0.2:
            return {"request": "What is 17% of 2340, and what is 2 + 3?"}
        if self._chance.random() < 0.1:
            return {"plan": shape(length, tool="fails_at_first")}
        return {"plan": shape(length, tool=self._chance.choice(tools), seconds=seconds)}

    def _look_after(self) -> None:
        """Keep a process of each kind alive, settle doubts as a person would, forget what has ended."""
        for kind in stacks.WORKERS:
            if not self.workers.alive(kind):
                self.workers.start(kind)
        for step in steps.in_doubt(runs.TENANT):
            run_id = str(step.run_id)
            self.doubts += 1
            operating.change_step(run_id, lambda at=(run_id, step.id): surgery.resolve_as_done(runs.TENANT, *at, 1))
        self._alive = {run_id for run_id in self._alive if journal_runs.get(runs.TENANT, run_id).finished_at is None}

    def _end(self, kind: str, number: int) -> None:
        self.workers.kill(kind, number)
        self.workers.start(kind)


def soak(seconds: float, seed: int) -> list[str]:
    """One soak on servers of its own; prints what was done and what came of it, returns what broke an invariant."""
    home = Path(tempfile.mkdtemp(prefix="perdure-soak-"))
    ledger = home / "side_effects.txt"
    os.environ.update(PERDURE_HOME=str(home), PERDURE_EMBEDDED="1", PERDURE_AUTH="off")
    with embedded_servers.running(home) as addresses:
        os.environ.update(DATABASE_URL=addresses.database_url, REDIS_URL=addresses.redis_url)
        settings.current.cache_clear()
        migrations.upgrade()
        with (
            cut_proxy.in_front_of(addresses.database_url) as postgres,
            cut_proxy.in_front_of(addresses.redis_url) as redis,
            stacks.running(
                home,
                *stacks.WORKERS,
                DATABASE_URL=cut_proxy.through(postgres, addresses.database_url),
                REDIS_URL=cut_proxy.through(redis, addresses.redis_url),
                PERDURE_TOOLS="tests.side_effect_tools",
                PERDURE_DRAIN_SECONDS="3",
                SIDE_EFFECT_LEDGER=str(ledger),
            ) as workers,
        ):
            under_fire = Soak(workers, postgres, redis, random.Random(seed))
            under_fire.storm(seconds)
            under_fire.calm()
            broken = history_checker.faults(under_fire.started, ledger)
            _report(under_fire, history_checker.numbers(under_fire.started, ledger), broken)
    return broken


def _report(under_fire: Soak, numbers: Counter[str], broken: list[str]) -> None:
    _say("faults: " + ", ".join(f"{name} {times}" for name, times in sorted(under_fire.faults.items())))
    _say("came to: " + ", ".join(f"{name} {times}" for name, times in sorted(numbers.items())))
    for each in broken:
        _say(f"BROKEN {each}")
    _say(
        f"{len(under_fire.started)} runs, {under_fire.faults.total()} faults, {under_fire.doubts} doubts settled, "
        f"{len(broken)} invariants broken"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Read the options, soak, and tell."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=5)
    options.add_argument("--seed", type=int, default=None)
    chosen = options.parse_args()
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(10**6)
    _say(f"Soaking for {chosen.minutes:g} minutes with seed {seed}; SEED={seed} does it again")
    return 1 if soak(chosen.minutes * 60, seed) else 0


if __name__ == "__main__":
    sys.exit(main())
