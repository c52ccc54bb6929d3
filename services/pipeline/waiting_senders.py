"""Waking the steps that wait until what they sent has been delivered or given up. By whoever ended the last message, or
by the sweeper when that process did not live to do it."""

from typing import Any

from services import database
from services.journal import surgery
from services.pipeline import operating

BATCH = 100


def wake(effect: str | None = None) -> int:
    """Wake the step of this effect (or all) if all its messages have ended; returns how many were looked at."""
    ended: list[dict[str, Any]] = database.call("ended_effects", effect, BATCH)
    for each in ended:
        found = database.call("deliver_callback", each["run"], each["step"], each["hash"], database.json({}))
        if found is not None and "refused" not in found:  # refused: nobody waits any more
            operating.carry_on(each["run"], surgery.changed(found, "There is no such step."))
        database.call("effect_told", each["effect"])
    return len(ended)
