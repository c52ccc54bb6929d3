"""Steps of instant tools run before the commit that makes them ready, so that one commit takes many results.

Such a tool only computes: to run it twice, or in vain, changes nothing. So a worker that has a step of one goes on with
what that step leads to, and records all successes together; whatever does not succeed is left to its own commit.
"""

import time
from dataclasses import replace

from execution_worker import step_runner
from services import failpoints, logs
from services.failpoints import Failpoint
from services.journal.claims import Claim, Done, Follower
from services.secrets import redaction

SECONDS = 0.02  # so long at most do results wait for those that follow


def successes(first: Done) -> list[Done]:
    """The claimed success, and those of the steps that it and they lead to, as far as they come in time."""
    done = [first]
    counted = bool(first.claim.run["accounts"])  # every call is, so none may be in vain
    left = list(first.claim.ahead.followers) if first.claim.ahead and not counted else []
    outputs = {first.claim.step_id: first.output}
    while time.monotonic() - first.began < SECONDS:
        follower = next((each for each in left if _may_run(each, outputs)), None)
        result = _run(follower, outputs) if follower else None
        if follower is None or result is None:
            break
        left.remove(follower)
        outputs[result.claim.step_id] = result.output
        done.append(result)
    return done


def _may_run(follower: Follower, outputs: dict[str, object]) -> bool:
    return sum(step in outputs for step in follower.depends_on) == follower.unmet


def _run(follower: Follower, outputs: dict[str, object]) -> Done | None:
    """The attempt, if it is a success."""
    claim = _given_outputs(follower, outputs)
    with logs.bound(step=claim.step_id, attempt=claim.fence):
        began = time.monotonic()
        given, ended = step_runner.run(claim)
        failpoints.reached(Failpoint.STEP_RAN)
    if ended.outcome != "succeeded":
        return None
    return Done(claim, False, redaction.clean(given), redaction.clean(ended.output), began, time.monotonic())


def _given_outputs(follower: Follower, outputs: dict[str, object]) -> Claim:
    if not follower.refers:
        return follower.claim
    mine = {step: outputs[step] for step in follower.depends_on if step in outputs}
    return replace(follower.claim, outputs=follower.claim.outputs | mine)
