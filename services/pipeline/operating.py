"""Operating on runs: what a person asks for, committed by the journal, then published and rung.

The gateway and the command line call these; the journal decides whether the run's state allows it (Conflict when not).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from services.errors import PerdureError
from services.journal import dead_letters, event_feed, forks, runs, surgery
from services.journal.dead_letters import DeadLetter
from services.journal.forks import Patch, Resolution
from services.journal.surgery import Changed
from services.pipeline import phases, teams

LetterAction = Literal["resume", "restart", "discard"]
MOST_AT_ONCE = 1_000


def pause(tenant: str, run_id: str) -> None:
    """Begin nothing more in this run until it is resumed."""
    carry_on(run_id, surgery.pause(tenant, run_id))
    teams.flow_down()


def resume(tenant: str, run_id: str) -> None:
    """Let a paused run go on."""
    carry_on(run_id, surgery.resume(tenant, run_id))
    teams.flow_down()


def cancel(tenant: str, run_id: str) -> None:
    """Ask the run to stop, and all that it has delegated."""
    events = runs.request_cancel(tenant, run_id)
    teams.wake_parents(events)
    event_feed.publish(events)
    teams.flow_down()


def steer(tenant: str, run_id: str, text: str) -> None:
    """Add what the user says to a run that lives. Raises Conflict where it takes nothing in any more."""
    event_feed.publish(runs.steer(tenant, run_id, text))


def change_step(run_id: str, change: Callable[[], Changed]) -> None:
    """Make one of the changes of `surgery` to a step of this run."""
    carry_on(run_id, change())


def fork(
    tenant: str,
    run_id: str,
    *,
    from_step: str | None = None,
    patches: dict[str, Patch] | None = None,
    resolution: Resolution = "forked",
    letter: UUID | None = None,
) -> str:
    """Start a fork of a run that has ended; returns its id. See `forks.fork`."""
    fork_id, changed = forks.fork(
        tenant, run_id, from_step=from_step, patches=patches, resolution=resolution, letter=letter
    )
    # the steps of a fork are rung by its chord, which execute_run opens
    carry_on(fork_id, Changed(changed.events, [], changed.phase))
    return fork_id


@dataclass(frozen=True)
class Settled:
    """What became of one dead letter. run_id: the run that goes on; refused: why nothing was done."""

    letter: DeadLetter
    run_id: str | None = None
    refused: str | None = None


def settle_letter(tenant: str, letter: DeadLetter, action: LetterAction) -> Settled:
    """Take care of a dead letter: resume the run from there, restart it, or discard the letter. Raises Conflict.

    Resuming retries the step in place while the run lives, and forks the run once it has ended.
    """
    run_id = str(letter.run_id)
    if action == "discard":
        dead_letters.discard(tenant, str(letter.id))
        return Settled(letter)
    alive = runs.get(tenant, run_id).phase is not None
    step_id = letter.step_id
    if alive and action == "resume" and step_id is not None and letter.resolved_at is None:
        change_step(run_id, lambda: surgery.retry_step(tenant, run_id, step_id))
        return Settled(letter, run_id)
    resolution: Resolution = "resumed" if action == "resume" else "restarted"
    return Settled(letter, fork(tenant, run_id, resolution=resolution, letter=letter.id))


def settle_letters(
    tenant: str, wanted: dead_letters.Filter, action: LetterAction, *, dry_run: bool, limit: int = MOST_AT_ONCE
) -> list[Settled]:
    """Do that to every letter that fits, newest first, at most `limit`; with dry_run only say which.

    A run is resumed or restarted once, however many of its steps failed: that resolves all its letters.
    """
    found = dead_letters.listed(tenant, wanted, limit=limit)
    if action != "discard":
        found = list({letter.run_id: letter for letter in found}.values())
    if dry_run:
        return [Settled(letter) for letter in found]
    done = []
    for letter in found:
        try:
            done.append(settle_letter(tenant, letter, action))
        except PerdureError as error:
            done.append(Settled(letter, refused=error.detail))
    return done


def carry_on(run_id: str, changed: Changed) -> None:
    """Publish what a committed change led to, and ring what it made ready."""
    event_feed.publish(changed.events)
    if changed.ready:
        phases.grow_execution(run_id, changed.ready)
    if changed.phase:
        phases.ring(run_id, changed.phase)
