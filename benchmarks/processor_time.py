"""How much processor time each part of a running stack has used: the children of this process, and Postgres."""

from pathlib import Path

import psutil

PARTS = ("planning_worker", "execution_worker", "reflection_worker", "gunicorn", "scheduler", "valkey")


def by_part(home: Path) -> dict[str, float]:
    """Seconds of user and system time so far, by part. home: where the embedded Postgres keeps its data."""
    used: dict[str, float] = {}
    postmaster = psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split()[0]))
    for process in [postmaster, *postmaster.children(recursive=True)]:
        _add(used, "postgres", process)
    for process in psutil.Process().children(recursive=True):
        command = " ".join(process.cmdline()) if process.is_running() else ""
        _add(used, next((part for part in PARTS if part in command), "other"), process)
    return used


def _add(used: dict[str, float], part: str, process: psutil.Process) -> None:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return
    used[part] = used.get(part, 0) + times.user + times.system
