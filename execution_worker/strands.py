"""Strands: lines of steps, each run in place as the result of the one before makes it ready; one commit a step, or one
for several of instant tools (run_ahead.py).

A message begins a strand. Where a step opens several others, this process takes its share of them at once, in the same
commit, and runs their strands side by side on its own threads: a message each would cost more than most steps do. What
it has no thread for is rung for any worker.
"""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from execution_worker import registry, run_ahead, step_runner, turns
from services import failpoints, logs, settings
from services.failpoints import Failpoint
from services.journal import claims, event_feed
from services.journal.claims import Begun, Claim, Done, Finished, ReadyStep, Room
from services.journal.event_names import TERMINAL
from services.pipeline import flow_turns, heartbeat, phases, short_timers, teams, worker_process
from services.secrets import redaction

AT_BEGINNING = 16  # threads asked for when it is not known yet how many steps can begin at once

log = logs.get(__name__)
_threads = ThreadPoolExecutor(settings.current().strand_threads, thread_name_prefix="strand")
_spare = threading.Semaphore(settings.current().strand_threads)


def run_step(run_id: str, step_id: str) -> None:
    """Run the step if it is ready, then all that it opens here; returns when the last strand has ended."""
    if worker_process.draining():
        return  # the sweeper rings it for another worker
    failpoints.reached(Failpoint.STEP_TAKEN)
    claimed = claims.take(run_id, step_id, heartbeat.worker_id())
    if claimed is None:
        return  # a doubled or late message
    claim, events = claimed
    failpoints.reached(Failpoint.STEP_CLAIMED)
    event_feed.publish(events)
    _Message(run_id).run(claim, [])


def begin_run(run_id: str) -> None:
    """Open the run's execution: run here what this process takes of its first steps, ring the others."""
    if worker_process.draining():
        return
    spare = _reserved(AT_BEGINNING)
    room = Room(1 + spare, registry.instant(), workers=heartbeat.workers())
    begun = claims.begin(run_id, heartbeat.worker_id(), room)
    if begun is None:
        _release(spare)
        return  # a doubled or late message
    failpoints.reached(Failpoint.EXECUTION_BEGUN)
    held, others = _parted(begun.ready)
    message = _Message(run_id)
    try:
        message.grow(others if begun.claims else held + others)
        failpoints.reached(Failpoint.EXECUTION_OPENED)
        event_feed.publish(begun.events)
        message.run(message.branched(begun, spare), held if begun.claims else [])
    finally:
        if message.ended and not message.grown:
            phases.leave_execution()
        else:  # only now: most runs of a few steps end here, and for others this is soon enough
            phases.open_execution(run_id)


class _Message:
    """The strands that one message began. It is done when they all are, so that the run's chord counts rightly.

    ended: the run has ended in one of them. grown: other members have joined its chord.
    """

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.ended = self.grown = False
        self._until = time.monotonic() + settings.current().strand_seconds
        self._others: list[Future[None]] = []

    def run(self, claim: Claim | None, held: list[str]) -> None:
        """Run this strand here, and wait for those that branched off it."""
        self._run_on(claim, held)
        with turns.given_up():
            while self._others:
                self._others.pop().result()

    def grow(self, steps: list[str]) -> None:
        """Leave these ready steps to any worker."""
        self.grown = self.grown or bool(steps)
        phases.grow_execution(self.run_id, steps)

    def branched(self, given: Begun, spare: int) -> Claim | None:
        """The step that this strand goes on with; the others get a thread each of the `spare` ones."""
        claims = sorted(given.claims, key=lambda claim: not _is_instant(claim.tool))
        for claim in claims[1:]:
            self._others.append(_threads.submit(self._run_beside, claim))
        _release(spare - max(len(claims) - 1, 0))
        return claims[0] if claims else None

    def _run_beside(self, claim: Claim) -> None:
        try:
            with logs.bound(run_id=self.run_id), turns.taken():
                self._run_on(claim, [])
        finally:
            _spare.release()

    def _run_on(self, claim: Claim | None, held: list[str]) -> None:
        """Run the claimed step, then what each result's commit gives us next, until there is nothing more.

        held: ready steps of instant tools. They are run here, one after another; but they never wait for a step that
        takes long.
        """
        while claim is not None:
            if registry.find(claim.tool) is None:
                self._give_back(claim, held)
                return
            if held and not _is_instant(claim.tool):
                self.grow(held)
                held = []
            with logs.bound(step=claim.step_id, attempt=claim.fence):
                claim, held = self._run_one(claim, held)

    def _run_one(self, claim: Claim, held: list[str]) -> tuple[Claim | None, list[str]]:
        began = time.monotonic()
        given, ended = step_runner.run(claim)
        given, ended = redaction.clean(given), ended.cleaned()
        failpoints.reached(Failpoint.STEP_RAN)
        if ended.outcome == "unpaid":
            self._let_go(claim, held, claims.hold_for_budget(claim, (ended.error or {})["detail"]))
            return None, []
        if ended.outcome == "unknown":
            error = ended.error or {}
            self._let_go(claim, held, claims.lose(claim, error["reason"], error["detail"], input=given))
            return None, []  # waits for a person, or (the run was cancelled meanwhile) is over
        if ended.outcome == "succeeded":
            spare, held, finished = self._completed(
                Done(claim, True, given, ended.output, began, time.monotonic()), held
            )
        elif ended.outcome == "skipped":
            spare, finished = 0, claims.leave_out(claim, (ended.error or {})["detail"])
        elif ended.outcome == "expanded":
            spare, finished = 0, claims.expand(claim, ended.output)
        else:
            spare, finished = (
                0,
                claims.finish(
                    claim,
                    ended.outcome,
                    worker=heartbeat.worker_id(),
                    input=given,
                    error=ended.error,
                    delay=ended.delay,
                    asks=ended.asks,
                    room=self._room(0, held),
                ),
            )
        failpoints.reached(Failpoint.STEP_FINISHED)
        following = self.branched(finished, spare)
        more, others = _parted(finished.ready)
        held = [step for step in held if following is None or step != following.step_id] + more
        if following is None:
            others, held = others + held, []
        self.grow(others)
        self.ended = self.ended or (bool(finished.events) and finished.events[-1]["name"] in TERMINAL)
        _ring(claim.run_id, finished)
        failpoints.reached(Failpoint.STEP_HANDED_ON)
        event_feed.publish(finished.events)
        flow_turns.pass_on(claim.flow_keys)
        if ended.delay is not None:
            short_timers.ring_in(ended.delay, claim.run_id, claim.step_id)
        if finished.fenced:
            log.warning("A late result was refused", step=claim.step_id, attempt=claim.fence)
        return following, held

    def _give_back(self, claim: Claim, held: list[str]) -> None:
        """Leave the step to a worker that has its tool."""
        log.warning("This worker lacks a tool that a step needs", tool=claim.tool, step=claim.step_id)
        detail = f"No worker that took it has the tool {claim.tool!r}."
        event_feed.publish(claims.give_back(claim, detail))
        flow_turns.pass_on(claim.flow_keys)
        self.grow(held)

    def _let_go(self, claim: Claim, held: list[str], events: list[dict[str, Any]]) -> None:
        failpoints.reached(Failpoint.STEP_LOST)
        event_feed.publish(events)
        flow_turns.pass_on(claim.flow_keys)
        self.grow(held)

    def _completed(self, first: Done, held: list[str]) -> tuple[int, list[str], Finished]:
        """Record it with what could be run ahead; returns the reserved threads, what is still held, what follows."""
        done = run_ahead.successes(first) if self._may_go_on() else [first]
        spare = self._spare_for(max(each.claim.opens for each in done))
        ids = {each.claim.step_id for each in done}
        left = [step for step in held if step not in ids]
        finished = claims.complete(done, worker=heartbeat.worker_id(), room=self._room(spare, left))
        if finished is None:  # somebody changed the run meanwhile
            left = held
            finished = claims.complete([first], worker=heartbeat.worker_id(), room=self._room(spare, held))
            assert finished is not None
        return spare, left, finished

    def _room(self, spare: int, held: list[str]) -> Room:
        return Room(1 + spare if self._may_go_on() else 0, registry.instant(), held)

    def _spare_for(self, opened: int) -> int:
        """Threads reserved for what is opened, if it is more than this strand can go on with: our fair share."""
        if opened < 2 or not self._may_go_on():
            return 0
        return _reserved(-(-opened // heartbeat.workers()) - 1)

    def _may_go_on(self) -> bool:
        return time.monotonic() < self._until and not worker_process.draining()


def _ring(run_id: str, finished: Finished) -> None:
    """Other runs' turn, or the next phase's."""
    teams.wake_parents(finished.events)
    for child, planned in finished.started:
        phases.start(child, planned=planned)
    if finished.rings:
        phases.ring(run_id, "reflect")


def _reserved(wanted: int) -> int:
    """Reserve up to so many idle threads; returns how many."""
    count = 0
    while count < wanted and _spare.acquire(blocking=False):
        count += 1
    return count


def _release(count: int) -> None:
    if count:
        _spare.release(count)


def _parted(ready: list[ReadyStep]) -> tuple[list[str], list[str]]:
    """The ids of the ready steps to hold, and of those to ring for any worker."""
    held = [step.id for step in ready if _is_instant(step.tool)]
    return held, [step.id for step in ready if not _is_instant(step.tool)]


def _is_instant(tool: str) -> bool:
    found = registry.find(tool)
    return found is not None and found.instant
