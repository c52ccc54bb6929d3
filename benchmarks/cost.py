"""What a step costs besides time: `python -m benchmarks.cost [--quick]`.

Round trips to Postgres and bytes both ways (by a counting proxy), commits (pg_stat_database), the write-ahead log, and
the messages of a run with their sizes (by Valkey's MONITOR). What the idle system does meanwhile is taken off.
"""

import argparse
import json
import os
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import redis

from benchmarks import engine, report, workloads
from benchmarks.counting_proxy import Counted, Proxy
from services.pipeline import embedded_servers

# a backend tells its statistics at the latest so long after its last transaction (PGSTAT_IDLE_INTERVAL, 10 s)
STATISTICS_SECONDS = 11.0
PLANS = {"W1": workloads.chain(), "W2": workloads.fan(), "W3": workloads.lattice()}


@dataclass
class Messages:
    """Every message put into a queue of the broker, read off Valkey's MONITOR."""

    url: str
    seen: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def start(self) -> None:
        """Watch from now on."""
        self.client = redis.Redis.from_url(self.url)
        threading.Thread(target=self._watch, daemon=True).start()
        time.sleep(0.3)

    def _watch(self) -> None:
        with suppress(redis.RedisError), self.client.monitor() as monitor:
            for told in monitor.listen():
                words = told["command"].split(" ", 2)
                if words[0].upper() in {"LPUSH", "RPUSH"} and len(words) == 3:
                    self._note(words[2])

    def _note(self, message: str) -> None:
        # what MONITOR quotes is a little longer than what is sent
        with suppress(ValueError):
            plain = message.strip('"').replace('\\"', '"').replace("\\\\", "\\")
            envelope = json.loads(plain)
            if isinstance(envelope, dict):  # a chord keeps lists of its own
                self.seen[envelope["headers"]["task"]].append(len(plain))


class Meter:
    """All counters at once."""

    def __init__(self, server: str, postgres: Proxy, valkey: Proxy) -> None:
        self._connection = psycopg.connect(embedded_servers.as_superuser(server), autocommit=True)
        self._postgres, self._valkey = postgres, valkey

    def read(self) -> dict[str, float]:
        """Waits until Postgres's statistics are complete."""
        postgres, valkey = self._postgres.counted.copy(), self._valkey.counted.copy()
        time.sleep(STATISTICS_SECONDS)
        commits, log = self._connection.execute(
            "select sum(xact_commit), pg_current_wal_insert_lsn() - '0/0' from pg_stat_database"
        ).fetchone() or (0, 0)
        return {**_flat("postgres", postgres), **_flat("valkey", valkey), "commits": float(commits), "log": float(log)}


def _flat(name: str, counted: Counted) -> dict[str, float]:
    return {f"{name}.{key}": float(value) for key, value in vars(counted).items()}


def main() -> None:
    """Measure and put the tables into docs/performance.md."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    chosen = options.parse_args()
    count = 20 if chosen.quick else 200
    with engine.servers() as (home, addresses):
        postgres, valkey, environment = _between(home, addresses)
        with engine.processes(home, 1, **environment) as bench:
            meter, messages = Meter(addresses.database_url, postgres, valkey), Messages(addresses.redis_url)
            for plan in PLANS.values():
                bench.one(plan)
            spent = {name: _spent(bench, meter, plan, count) for name, plan in PLANS.items() if name != "W3"}
            messages.start()
            sent = {name: _sent(bench, messages, plan, 5 if chosen.quick else 20) for name, plan in PLANS.items()}
    report.section("cost", f"{_costs(spent, count)}\n\n{_messages(sent)}", quick=chosen.quick)


def _between(home: Path, addresses: engine.Addresses) -> tuple[Proxy, Proxy, dict[str, str]]:
    """Proxies before both servers, and the environment that leads the processes to them."""
    folder = Path(parse_qs(urlsplit(addresses.database_url).query)["host"][0])
    before = home / "proxied"
    before.mkdir()
    name = ".s.PGSQL.5432"
    postgres = Proxy(before / name, folder / name, postgres=True)
    valkey = Proxy(("127.0.0.1", 0), ("127.0.0.1", urlsplit(addresses.redis_url).port or 6379), postgres=False)
    return (
        postgres,
        valkey,
        {
            "DATABASE_URL": addresses.database_url.replace(str(folder), str(before)),
            "REDIS_URL": f"redis://127.0.0.1:{valkey.address[1]}/0",
        },
    )


def _spent(bench: engine.Bench, meter: Meter, plan: workloads.Plan, count: int) -> dict[str, float]:
    """Each counter per step, less what it grows by when nothing runs."""
    begun, start = time.monotonic(), meter.read()
    idle_seconds, idle = time.monotonic() - begun, meter.read()
    begun = time.monotonic()
    bench.many(plan, count)
    busy = meter.read()
    seconds = time.monotonic() - begun
    steps = count * len(plan["steps"])
    return {key: (busy[key] - idle[key] - (idle[key] - start[key]) / idle_seconds * seconds) / steps for key in busy}


def _sent(bench: engine.Bench, messages: Messages, plan: workloads.Plan, count: int) -> dict[str, Any]:
    messages.seen.clear()
    for _ in range(count):
        bench.ended(bench.submit(plan))
    time.sleep(1)
    return {task: (len(sizes) / count, max(sizes)) for task, sizes in sorted(messages.seen.items())}


def _costs(spent: dict[str, dict[str, float]], count: int) -> str:
    rows = {
        "round trips to Postgres": "postgres.answers",
        "commits (pg_stat_database: reading ones too)": "commits",
        "bytes to Postgres": "postgres.sent",
        "bytes from Postgres": "postgres.received",
        "bytes of write-ahead log": "log",
        "bytes to Valkey": "valkey.sent",
        "bytes from Valkey": "valkey.received",
    }
    lines = [f"A step, of {count} runs at once, all of Perdure's processes:\n", f"| | {' | '.join(spent)} |"]
    lines.append(f"| --- | {' | '.join('---' for _ in spent)} |")
    for title, key in rows.items():
        form = ",.0f" if "bytes" in title else ".2f"
        lines.append(f"| {title} | {' | '.join(format(found[key], form) for found in spent.values())} |")
    return "\n".join(lines)


def _messages(sent: dict[str, Any]) -> str:
    lines = ["Messages of one run, by task (each × its number; the largest in bytes, envelope included):\n"]
    for workload, tasks in sent.items():
        total = sum(number for number, _ in tasks.values())
        parts = ", ".join(f"`{task}` × {number:.1f} (≤ {size:,})" for task, (number, size) in tasks.items())
        lines.append(f"- {workload}: **{total:.1f}**: {parts}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(f"load average {os.getloadavg()[0]:.2f}", flush=True)
    main()
