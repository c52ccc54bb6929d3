"""How much processor time each part of a running system has used: the children of this process, Postgres, Valkey."""

from collections.abc import Iterable
from pathlib import Path

import psutil

PARTS = (
    "planning_worker",
    "execution_worker",
    "reflection_worker",
    "gunicorn",
    "scheduler",
    "valkey",
    "restate-server",
)


def by_part(home: Path, others: Iterable[int] = ()) -> dict[str, float]:
    """Seconds of user and system time so far, by part.

    home: where the embedded Postgres keeps its data. others: processes that count though they are no children of this
    one. Of Postgres, backends that have ended count too, so that closing connections hides nothing.
    """
    used: dict[str, float] = {}
    postmaster = psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split()[0]))
    ended = postmaster.cpu_times()
    used["postgres"] = ended.children_user + ended.children_system
    for process in [postmaster, *postmaster.children(recursive=True)]:
        _add(used, "postgres", process)
    for process in [*psutil.Process().children(recursive=True), *(psutil.Process(pid) for pid in others)]:
        try:
            if process.name() != "postgres":
                command = " ".join(process.cmdline())
                _add(used, next((part for part in PARTS if part in command), "workers"), process)
        except psutil.Error:
            continue  # it has just ended
    return used


def own() -> float:
    """Seconds that this process, the client of all measurements, has used itself."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)


def _add(used: dict[str, float], part: str, process: psutil.Process) -> None:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return
    used[part] = used.get(part, 0) + times.user + times.system
