"""Thousands of WebSocket clients on one gateway process: `python -m benchmarks.streams [--clients 2000] [--faults]`.

Each client follows one of 50 live runs from its first event to its last. Prints how long events took from their time in
the journal to the client, how much memory and processor time the gateway used, and whether every client had every event
once and in order. --faults: all the while clients are cut off, and in the middle Redis's clients are cut off, its
published messages lost for a second, and the gateway is ended by SIGTERM and started again.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psutil
import redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from benchmarks import engine, processor_time, report
from services.journal import events
from services.journal.event_names import TERMINAL
from tests.stack import Stack

RUNS = 50
LONGEST = 300.0  # seconds after which a client that has not seen the end has lost something
AT_ONCE = 60  # handshakes under way
CUT_EVERY = 0.25
FIRST = 20.0  # seconds for all to connect


@dataclass
class Follower:
    """One client: what it has seen, and how late each event was."""

    run_id: str
    seen: list[int] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    ended: bool = False
    connections: int = 0
    socket: ClientConnection | None = None

    async def follow(self, base: str, turns: asyncio.Semaphore, started: float) -> None:
        """Until the run's last event, over as many connections as that takes."""
        while not self.ended and time.time() - started < LONGEST:
            try:
                await self._one_connection(base, turns)
            except (OSError, ConnectionClosed, InvalidHandshake, TimeoutError):
                await asyncio.sleep(random.uniform(0.1, 0.6))

    async def _one_connection(self, base: str, turns: asyncio.Semaphore) -> None:
        address = f"{base}/api/agent/updates?workflowId={self.run_id}&after={self.seen[-1] if self.seen else 0}"
        async with turns:
            self.socket = await connect(address, compression=None, ping_interval=None, open_timeout=30)
        connected, self.connections = time.time(), self.connections + 1
        try:
            async for frame in self.socket:
                now, event = time.time(), json.loads(frame)
                self.seen.append(event["seq"])
                at = datetime.fromisoformat(event["at"]).timestamp()
                if at > connected:
                    self.late.append(now - at)
                self.ended = event["name"] in TERMINAL
        finally:
            await self.socket.close()


@dataclass
class Watched:
    """What the gateway's serving process used while the clients listened."""

    memory: int = 0
    threads: int = 0
    seconds: float = 0
    processor: float = 0


def main() -> None:
    """Measure and put the result into docs/performance.md."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clients", type=int, default=2_000)
    options.add_argument("--steps", type=int, default=10, help="steps of each run, one after the other")
    options.add_argument("--pause", type=float, default=4.0, help="seconds that each takes")
    options.add_argument("--faults", action="store_true")
    options.add_argument("--quick", action="store_true", help="200 clients, short runs; only printed")
    chosen = options.parse_args()
    if chosen.quick:
        chosen.clients, chosen.steps, chosen.pause = 200, 6, 1.0
    load = os.getloadavg()[0]
    with engine.servers() as (home, addresses), _served(home, chosen.clients) as stack:
        bench = engine.Bench(home, stack.url)
        runs = [bench.submit(_plan(chosen.steps, chosen.pause)) for _ in range(RUNS)]
        followers = [Follower(runs[n % RUNS]) for n in range(chosen.clients)]
        used, watched, begun = processor_time.by_part(home), Watched(), time.time()
        asyncio.run(_all(followers, stack, watched, addresses.redis_url if chosen.faults else None))
        watched.seconds = time.time() - begun
        watched.processor = processor_time.by_part(home)["gunicorn"] - used.get("gunicorn", 0)
        wrong = [one for one in followers if one.seen != [event["seq"] for event in events.after(one.run_id, 0)]]  # type: ignore[arg-type]
    text = _table(followers, watched, load, len(wrong), faults=chosen.faults)
    print(text)
    if not chosen.quick:
        report.section("streams-faults" if chosen.faults else "streams", text, quick=False)


@contextmanager
def _served(home: Any, clients: int) -> Iterator[Stack]:
    """A stack whose gateway is one process that takes so many streams."""
    stack = Stack(home, WEB_CONCURRENCY="1", PERDURE_MAX_STREAMS=str(clients + 100))
    try:
        stack.ensure("web", "planning", "execution", "reflection", "scheduler")
        yield stack
    finally:
        stack.stop()


def _plan(steps: int, pause: float) -> dict[str, Any]:
    """Something happens at once, then nothing while the clients connect, then two events each `pause`."""
    chain = [
        {"id": f"s{n}", "tool": "bench_sleep", "dependsOn": [f"s{n - 1}"] if n else [], "arguments": {"seconds": pause}}
        for n in range(steps)
    ]
    chain[0]["arguments"] = {"seconds": FIRST}
    return {"steps": chain}


async def _all(followers: list[Follower], stack: Stack, watched: Watched, faulty_redis: str | None) -> None:
    turns, started = asyncio.Semaphore(AT_ONCE), time.time()
    base = stack.url.replace("http", "ws")
    tasks = [asyncio.create_task(one.follow(base, turns, started)) for one in followers]
    beside = [asyncio.create_task(_watch(stack, watched))]
    if faulty_redis:
        beside += [asyncio.create_task(_cut(followers)), asyncio.create_task(_break(stack, faulty_redis))]
    await asyncio.gather(*tasks)
    for task in beside:
        task.cancel()


async def _watch(stack: Stack, watched: Watched) -> None:
    while True:
        for master in stack.alive("web"):
            for process in psutil.Process(master.pid).children():
                try:
                    watched.memory = max(watched.memory, process.memory_info().rss)
                    watched.threads = max(watched.threads, process.num_threads())
                except psutil.Error:
                    continue
        await asyncio.sleep(1)


async def _cut(followers: list[Follower]) -> None:
    """Cut somebody off without a word, again and again."""
    while True:
        await asyncio.sleep(CUT_EVERY)
        one = random.choice(followers)
        if one.socket is not None and not one.ended:
            one.socket.transport.abort()


async def _break(stack: Stack, redis_url: str) -> None:
    await asyncio.sleep(28)
    client = redis.Redis.from_url(redis_url)
    client.client_kill_filter(_type="pubsub")
    await asyncio.sleep(8)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, _restart_gateway, stack)


def _restart_gateway(stack: Stack) -> None:
    stack.kill("web", signal.SIGTERM)
    while stack.alive("web"):
        time.sleep(0.05)
    stack.start("web")


def _table(followers: list[Follower], watched: Watched, load: float, wrong: int, *, faults: bool) -> str:
    late = [each * 1e3 for one in followers for each in one.late]
    cuts = statistics.quantiles(late, n=100)
    seen = sum(len(one.seen) for one in followers)
    return (
        f"{len(followers):,} clients on {RUNS} runs{', with faults' if faults else ''}; "
        f"load average before {load:.2f}; the clients share the two cores.\n\n"
        "| | |\n| --- | --- |\n"
        f"| clients that had every event once and in order | {len(followers) - wrong:,} of {len(followers):,} |\n"
        f"| events delivered | {seen:,}, {len(late) / (watched.seconds - FIRST):,.0f} a second once all were connected |\n"
        f"| connections made | {sum(one.connections for one in followers):,} |\n"
        f"| from the event's time to the client, p50 / p95 / p99 | {cuts[49]:.0f} / {cuts[94]:.0f} / {cuts[98]:.0f} ms |\n"
        f"| memory of the gateway's process | {watched.memory / 2**20:,.0f} MB, {watched.threads:,} threads |\n"
        f"| processor time of the gateway | {watched.processor / watched.seconds:.0%} of one core |\n"
    )


if __name__ == "__main__":
    main()
