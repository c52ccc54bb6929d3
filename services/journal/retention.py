"""Retention: ended runs are deleted by age and state, with all that hangs on them, a batch at a time.

What still needs somebody is kept: a run with an open dead letter. Memories outlive their run.
"""

from dataclasses import dataclass
from datetime import timedelta

from services import database
from services.errors import BadInput
from services.journal.runs import RunStatus

ENDED = (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED)
BATCH = 200
MOST_RUNS = 10_000


@dataclass(frozen=True)
class Cleared:
    """How many rows were deleted (or, in a dry run, would be). more: older runs are left; ask again.

    kept: runs of that age and state that are kept because a dead letter of theirs is open.
    """

    runs: int
    steps: int
    events: int
    attempts: int
    kept: int
    more: bool


def clear(
    tenant: str, *, older_than: timedelta, states: list[RunStatus], dry_run: bool, most: int = MOST_RUNS
) -> Cleared:
    """Delete the tenant's runs that ended in one of `states` longer ago than that, the oldest first, at most `most`.

    Each batch is a transaction that skips what somebody holds, so it may run beside itself and beside everything else.
    Raises BadInput for a state that is no end.
    """
    unfit = [state for state in states if state not in ENDED]
    if unfit or not states:
        raise BadInput(f"Only ended runs are deleted: give one or more of {', '.join(ENDED)}.")
    wanted = (tenant, [str(state) for state in states], older_than.total_seconds())
    if dry_run:
        return Cleared(**database.call("count_ended_runs", *wanted, most))
    total = {"runs": 0, "steps": 0, "events": 0, "attempts": 0}
    while total["runs"] < most:
        done = database.call("delete_ended_runs", *wanted, min(BATCH, most - total["runs"]))
        if not done["runs"]:
            break
        total = {what: number + done[what] for what, number in total.items()}
    database.call("delete_unused_blobs", tenant)
    left = database.call("count_ended_runs", *wanted, 1)
    return Cleared(**total, kept=left["kept"], more=left["runs"] > 0)
