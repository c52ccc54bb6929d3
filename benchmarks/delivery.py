"""From the commit of an event to the client's WebSocket: `python -m benchmarks.delivery [--quick]`.

A real client follows real runs. The commit's time is Postgres's own (track_commit_timestamp), taken just before the
commit is written to disk, so the write counts as part of the way; beside it, all the while, a bare publish and
subscribe on the same Valkey, and bare commits on the same Postgres.
"""

import argparse
import json
import os
import statistics
import threading
import time
from dataclasses import dataclass, field

import psycopg
import redis
from websockets.sync.client import connect

from benchmarks import engine, report, workloads
from services.pipeline import embedded_servers

EVERY = 0.01
CHANNEL = "bench:bare"
# about as long as a published event
PAYLOAD = b"x" * 300


@dataclass
class Bare:
    """The two parts of the way that nobody can avoid, measured in a thread of their own."""

    addresses: engine.Addresses
    publish_and_receive: list[float] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """One of each every few milliseconds, until `stopped`."""
        client = redis.Redis.from_url(self.addresses.redis_url)
        subscriber = client.pubsub(ignore_subscribe_messages=True)
        subscriber.subscribe(CHANNEL)
        subscriber.get_message(timeout=1)
        with psycopg.connect(embedded_servers.as_superuser(self.addresses.database_url), autocommit=True) as connection:
            connection.execute("create table bare (n int)")
            while not self.stopped.wait(EVERY):
                begun = time.perf_counter()
                client.publish(CHANNEL, PAYLOAD)
                while subscriber.get_message(timeout=1) is None:
                    pass
                self.publish_and_receive.append(time.perf_counter() - begun)
                row = connection.execute("insert into bare values (1) returning pg_current_xact_id()::xid").fetchone()
                returned = time.time()
                query = "select extract(epoch from pg_xact_commit_timestamp(%s))::float8"
                self.commits.append(returned - (connection.execute(query, row).fetchone() or (returned,))[0])


def main() -> None:
    """Measure and put the table into docs/performance.md."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    chosen = options.parse_args()
    load = os.getloadavg()[0]
    embedded_servers.POSTGRES_SETTINGS["track_commit_timestamp"] = "on"
    with engine.servers() as (home, addresses), engine.processes(home) as bench:
        bare = Bare(addresses)
        thread = threading.Thread(target=bare.run)
        with psycopg.connect(embedded_servers.as_superuser(addresses.database_url), autocommit=True) as connection:
            _followed(bench, connection)
            thread.start()
            ways = [way for _ in range(5 if chosen.quick else 100) for way in _followed(bench, connection)]
        bare.stopped.set()
        thread.join()
    report.section("delivery", _table(ways, bare, load), quick=chosen.quick)


def _plan() -> workloads.Plan:
    """W1 behind a step that takes long enough for the client to connect meanwhile."""
    chain = workloads.chain()["steps"]
    wait = {"id": "wait", "tool": "sleep", "dependsOn": [], "arguments": {"seconds": 0.3}}
    chain[0]["dependsOn"] = ["wait"]
    return {"steps": [wait, *chain]}


def _followed(bench: engine.Bench, connection: psycopg.Connection) -> list[float]:
    """Seconds from commit to socket of each event of one run that was committed while the client listened."""
    run_id = bench.submit(_plan())
    address = bench.url.replace("http", "ws") + f"/api/agent/updates?workflowId={run_id}"
    arrived: dict[int, float] = {}
    with connect(address) as socket:
        for frame in socket:
            arrived[json.loads(frame)["seq"]] = time.time()
    query = "select seq, extract(epoch from pg_xact_commit_timestamp(xmin))::float8 from events where run_id = %s"
    committed: dict[int, float] = dict(connection.execute(query, [run_id]).fetchall())
    listening = min(arrived.values()) + 0.1
    return [arrived[seq] - committed[seq] for seq in arrived if committed[seq] > listening]


def _table(ways: list[float], bare: Bare, load: float) -> str:
    rows = {
        "from commit to the client's socket": ways,
        "bare publish and receive": bare.publish_and_receive,
        "a bare commit, from its time stamp to its return": bare.commits,
    }
    lines = [
        f"{len(ways):,} events of runs followed one after the other; ms; load average before {load:.2f}.\n",
        "| | p50 | p95 | p99 |",
        "| --- | --- | --- | --- |",
    ]
    for title, seconds in rows.items():
        lines.append(f"| {title} | {' | '.join(f'{_percentile(seconds, n) * 1e3:.2f}' for n in (50, 95, 99))} |")
    ratio = _percentile(ways, 99) / _percentile(bare.publish_and_receive, 99)
    middle = _percentile(ways, 50) / _percentile(bare.publish_and_receive, 50)
    lines.append(f"\nRatio to the bare round trip: {middle:.1f} at the median, **{ratio:.1f} at p99**.")
    return "\n".join(lines)


def _percentile(values: list[float], n: int) -> float:
    return statistics.quantiles(values, n=100)[n - 1]


if __name__ == "__main__":
    main()
