"""Operating on many runs at once: those of a filter, each as if a person had done it by itself."""

from dataclasses import dataclass
from typing import Literal

from services.errors import PerdureError
from services.journal import run_search
from services.journal.run_search import Filter
from services.journal.runs import Run, RunStatus
from services.pipeline import operating

RunAction = Literal["cancel", "pause", "resume", "retry"]
MOST_AT_ONCE = 1_000

# for which runs an action means something
MEANT: dict[RunAction, tuple[str, ...]] = {
    "cancel": ("live",),
    "pause": ("live",),
    "resume": (RunStatus.PAUSED,),
    "retry": (RunStatus.FAILED, RunStatus.CANCELLED),
}


@dataclass(frozen=True)
class Changed:
    """What became of one run, as it was before. continues_as: its fork; refused: why nothing was done."""

    run: Run
    continues_as: str | None = None
    refused: str | None = None


def change_runs(
    tenant: str, wanted: Filter, action: RunAction, *, dry_run: bool, limit: int
) -> tuple[list[Changed], bool]:
    """Do that to every run that fits and that it means something for, newest first; with dry_run only say which.

    Also tells whether there are more than `limit`.
    """
    found = run_search.listed(tenant, wanted, limit=limit + 1, among=MEANT[action])
    chosen, more = found[:limit], len(found) > limit
    return [Changed(run) if dry_run else _changed(tenant, run, action) for run in chosen], more


def _changed(tenant: str, run: Run, action: RunAction) -> Changed:
    run_id = str(run.id)
    try:
        if action == "retry":
            return Changed(run, operating.fork(tenant, run_id))
        if action == "cancel":
            operating.cancel(tenant, run_id)
        elif action == "pause":
            operating.pause(tenant, run_id)
        else:
            operating.resume(tenant, run_id)
    except PerdureError as error:
        return Changed(run, refused=error.detail)
    return Changed(run)
