"""What a claimed run does with the profile of its agent."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from services.memory import recall, short_term
from services.replay import recorded_calls

MEMORIES = 5


def fits(tool: str, allowed: Iterable[str]) -> bool:
    """Whether one of these patterns allows the tool."""
    return any(fnmatchcase(tool, pattern) for pattern in allowed)


def remembers(run: dict[str, Any]) -> bool:
    """Whether the run may look into its user's memory, and leave something there."""
    return (run["profile"] or {}).get("memory") != "none"


def memories(run: dict[str, Any]) -> list[str]:
    """The memories that a prompt of this run is given."""
    return recorded_calls.filled("memories", lambda: recall.for_run(run, limit=MEMORIES)) if remembers(run) else []


def turns(run: dict[str, Any]) -> list[tuple[str, str]]:
    """What the run is told of its conversation, as (role, text)."""
    found = recorded_calls.filled("turns", lambda: short_term.of_run(run).told())
    return [(role, text) for role, text in found]


def moment(run: dict[str, Any]) -> str:
    """The time that the run is told it is: when it was accepted, or of a replay, what it replays."""
    replay = (run["profile"] or {}).get("replay")
    return str(replay["at"] if replay else run["created_at"])
