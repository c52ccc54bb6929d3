"""Points at which a process kills itself with SIGKILL, so that tests can prove that nothing is lost there.

They stand at every boundary between a commit, a message and an effect. PERDURE_FAILPOINT=name[:n] arms one: the n-th
time (default the first) that it is reached, the process is gone. Unarmed, a point costs one look at a cached None.
"""

import itertools
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from services import logs, settings
from services.errors import Misconfigured

log = logs.get(__name__)


class Failpoint(StrEnum):
    """Every point, in the order in which a run meets them."""

    RUN_CREATED = "run_created"  # gateway: the run is committed, nothing is rung, the caller has no answer
    PLAN_CLAIMED = "plan_claimed"  # planning: the phase is owned, nothing is planned
    PLAN_STEP_ADDED = "plan_step_added"  # planning: a step is taken from a plan being written, it is not rung
    PLAN_MADE = "plan_made"  # planning: the plan is not written yet
    PLAN_ACCEPTED = "plan_accepted"  # planning: plan and steps are committed, nothing is published or handed on
    EXECUTION_BEGUN = "execution_begun"  # execution: the first step is claimed, the chord is not open
    EXECUTION_OPENED = "execution_opened"  # execution: the chord is open, the other steps are rung, none has run
    STEP_TAKEN = "step_taken"  # execution: a message is taken, its step not claimed
    STEP_CLAIMED = "step_claimed"  # execution: a step is claimed, its tool not called
    STEP_RAN = "step_ran"  # execution: the tool has returned, its result is not committed
    STEP_FINISHED = "step_finished"  # execution: the end of an attempt is committed, nothing that follows is rung
    STEP_HANDED_ON = "step_handed_on"  # execution: what follows is rung, the events are not published
    STEP_LOST = "step_lost"  # execution: a doubt or an unknown end is committed, not published
    MEMBER_ADDED = "member_added"  # anyone: the chord counts a new member whose message is not sent
    TIMER_WOKEN = "timer_woken"  # execution: a step's wait is over by commit, it is not rung
    REFLECTION_CLAIMED = "reflection_claimed"  # reflection: the phase is owned, no answer begun
    REVISION_REQUESTED = "revision_requested"  # reflection: the run is planning's again by commit, nothing is rung
    ANSWER_MADE = "answer_made"  # reflection: the answer is streamed, not accepted
    ANSWER_ACCEPTED = "answer_accepted"  # reflection: the answer is committed, remembering is not rung
    MEMORIES_STORED = "memories_stored"  # reflection: the memories are committed, the run has not ended
    RUN_ENDED = "run_ended"  # reflection: the run's end is committed, not published
    STEPS_SWEPT = "steps_swept"  # scheduler: steps are marked as rung, no message is sent
    PHASES_SWEPT = "phases_swept"  # scheduler: phases are marked as rung, no message is sent
    MESSAGE_CLAIMED = "message_claimed"  # execution: a message is claimed, nothing is sent
    MESSAGE_SENT = "message_sent"  # execution: the receiver has answered, that is not recorded
    MESSAGE_FINISHED = "message_finished"  # execution: the end of a delivery is committed, nobody is told
    WORKER_RELEASED = "worker_released"  # anyone: a dead worker's leases are given back, nothing is published


@dataclass(frozen=True)
class _Armed:
    point: Failpoint
    at: int
    times: Iterator[int]


def reached(point: Failpoint) -> None:
    """Die here if this point is armed and its time has come."""
    armed = _armed()
    if armed is not None and armed.point == point and next(armed.times) == armed.at:
        os.kill(os.getpid(), signal.SIGKILL)
        signal.pause()  # the signal may take a moment; nothing must happen in it


@lru_cache(maxsize=1)
def _armed() -> _Armed | None:
    """What the settings arm. Raises Misconfigured for a point that does not exist."""
    asked = settings.current().failpoint
    if asked is None:
        return None
    name, _, number = asked.partition(":")
    try:
        armed = _Armed(Failpoint(name), int(number or 1), itertools.count(1))
    except ValueError as error:
        raise Misconfigured(f"PERDURE_FAILPOINT={asked} is not name[:n], a name of services/failpoints.py.") from error
    log.warning("This process will kill itself", failpoint=name, time=armed.at)
    return armed
