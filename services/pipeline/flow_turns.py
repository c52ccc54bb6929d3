"""Ringing the steps whose turn has come at a flow key: after a step of that key ended, and by the sweeper."""

from services.flow import keys
from services.pipeline import phases


def pass_on(names: list[str]) -> int:
    """Grant what is free at these keys to the next in line and ring it; returns how many were rung."""
    rung = 0
    for name in names:
        for run_id, step_id in keys.release(name):
            phases.grow_execution(run_id, [step_id])
            rung += 1
    return rung


def sweep() -> int:
    """The same for every key where a step waits: windows move on, workers die, and a grant may not have been rung."""
    return pass_on(keys.names_with_waits())
