"""`make bench`: Perdure and its peers on the same servers in one run, into docs/performance.md and .bench/figures.json.

One peer after the other, each with a database of its own and an empty Valkey; nothing of one runs during the next.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
from redis import Redis

from benchmarks import peers, report
from services.pipeline import embedded_servers

FOLDER = peers.ROOT / ".bench"
PEERS_PYTHON = FOLDER / "venv" / "bin" / "python"
LONGEST = 3600.0


def main() -> None:
    """Measure all, or those named, and write the report."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="small sizes, to see that everything works")
    options.add_argument("--only", default="", help="peers by comma; the others keep the figures they have")
    options.add_argument("--report", action="store_true", help="only write the report of the figures there are")
    chosen = options.parse_args()
    file = FOLDER / ("figures-quick.json" if chosen.quick else "figures.json")
    names = [name for name in chosen.only.split(",") if name] or list(peers.NAMES)
    if not chosen.report:
        known = json.loads(file.read_text()).get("peers", {}) if chosen.only and file.exists() else {}
        figures = {**about(chosen.quick), "peers": known}
        with servers() as addresses:
            for name in names:
                figures["peers"][name] = measured(name, addresses, quick=chosen.quick)
                file.write_text(json.dumps(figures, indent=1))
    report.write(file, PEERS_PYTHON, quick=chosen.quick)


def about(quick: bool) -> dict[str, Any]:
    """The machine and its load before anything is started."""
    model = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "quick": quick,
        "cores": os.cpu_count(),
        "processor": model[0] if model else platform.processor() or platform.machine(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load": list(os.getloadavg()),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
    }


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []


@contextmanager
def servers() -> Iterator[embedded_servers.Addresses]:
    """The Postgres and the Valkey that all share, in a folder that starts empty."""
    home = FOLDER / "servers"
    subprocess.run(["rm", "-rf", str(home)], check=True)
    with embedded_servers.running(home) as addresses:
        yield addresses


def measured(name: str, addresses: embedded_servers.Addresses, *, quick: bool) -> dict[str, Any]:
    """The figures of one peer, or why there are none."""
    home = FOLDER / "servers" / name
    home.mkdir()
    python = Path(sys.executable) if name == "perdure" else PEERS_PYTHON
    if not python.exists():
        return {"title": name, "not_here": "its packages could not be installed (run `make bench`)"}
    print(f"{name} …", flush=True)
    Redis.from_url(addresses.redis_url).flushall()
    out = home / "figures.json"
    command = [str(python), "-m", "benchmarks.measure", name, "--home", str(home), "--out", str(out)]
    with database(addresses.database_url, f"bench_{name}") as url:
        command += ["--database", url, "--redis", addresses.redis_url, "--programs", str(FOLDER / "node")]
        failure = _run([*command, *(["--quick"] if quick else [])], home / "measure.log")
    figures: dict[str, Any] = {"title": name, **(json.loads(out.read_text()) if out.exists() else {})}
    if failure:
        figures["not_here"] = failure
        print(f"  {failure}", flush=True)
    return figures


def _run(command: list[str], log: Path) -> str | None:
    """Run it to its end; returns what went wrong."""
    environment = {**os.environ, "PYTHONPATH": str(peers.ROOT), "PYTHONWARNINGS": "ignore"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=peers.ROOT, env=environment, stderr=output)
        try:
            code = process.wait(LONGEST)
        except BaseException:
            _kill_with_children(process.pid)
            raise
    last = log.read_text().strip().splitlines()[-1:] or ["no message"]
    return f"the measurement failed: {last[0][:200]}" if code else None


def _kill_with_children(pid: int) -> None:
    process = psutil.Process(pid)
    for one in [*process.children(recursive=True), process]:
        one.kill()


@contextmanager
def database(server: str, name: str) -> Iterator[str]:
    """A database of that name for the length of the block; gives its URL. Starts with nothing left to flush."""
    server = embedded_servers.as_superuser(server)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")
        connection.execute(f"create database {name}")
        connection.execute("checkpoint")
        time.sleep(1)
        yield server.replace(f"/{embedded_servers.DATABASE}?", f"/{name}?")
        connection.execute(f"drop database if exists {name} with (force)")


if __name__ == "__main__":
    main()
