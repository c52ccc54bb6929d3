"""What a claimed run does with the profile of its agent."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from services.memory import recall

MEMORIES = 5


def fits(tool: str, allowed: Iterable[str]) -> bool:
    """Whether one of these patterns allows the tool."""
    return any(fnmatchcase(tool, pattern) for pattern in allowed)


def remembers(run: dict[str, Any]) -> bool:
    """Whether the run may look into its user's memory, and leave something there."""
    return (run["profile"] or {}).get("memory") != "none"


def memories(run: dict[str, Any]) -> list[str]:
    """The memories that a prompt of this run is given."""
    return recall.for_run(run, limit=MEMORIES) if remembers(run) else []
