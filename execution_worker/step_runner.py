"""Runs a step and, in place, the line of steps that it opens (a strand): one message, one commit a step."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Literal

import orjson

from execution_worker import cancellation, permission, registry, tool_threads, turns
from services import clock, failpoints, logs, settings
from services.errors import Cancelled, Failed, Retryable, ToolError
from services.failpoints import Failpoint
from services.journal import event_feed, references, steps
from services.journal.steps import Claim, LossReason, Outcome, ReadyStep
from services.pipeline import flow_turns, heartbeat, phases, short_timers, worker_process
from services.secrets import handles, redaction, vault
from services.tools.contract import Tool, ToolContext, Unsure, WaitForDecision, WaitUntil

log = logs.get(__name__)


@dataclass(frozen=True)
class Ended:
    """How one attempt ended; `unknown` where nobody can tell. delay: seconds until a retry or a wait is due. asks: of a
    person, by a wait."""

    outcome: Outcome | Literal["unknown"]
    output: Any = None
    error: dict[str, Any] | None = None
    delay: float | None = None
    asks: dict[str, Any] | None = None

    def cleaned(self) -> "Ended":
        """Without the secrets that a tool may have let through."""
        return replace(self, output=redaction.clean(self.output), error=redaction.clean(self.error))


def run_strand(run_id: str, step_id: str) -> None:
    """Run the step if it is ready, then the steps that become ready, until the line ends or its time is up."""
    if worker_process.draining():
        return  # the sweeper rings it for another worker
    failpoints.reached(Failpoint.STEP_TAKEN)
    claimed = steps.claim(run_id, step_id, heartbeat.worker_id())
    if claimed is None:
        return  # a doubled or late message
    claim, events = claimed
    failpoints.reached(Failpoint.STEP_CLAIMED)
    event_feed.publish(events)
    _run_on(claim, [])


def begin_run(run_id: str) -> None:
    """Open the run's execution: run its first ready step and that one's strand here, ring or hold the others."""
    if worker_process.draining():
        return
    begun = steps.begin(run_id, heartbeat.worker_id())
    if begun is None:
        return  # a doubled or late message
    claim, ready, events = begun
    failpoints.reached(Failpoint.EXECUTION_BEGUN)
    held, others = _parted(ready)
    if claim is None:
        phases.open_execution(run_id, held + others)
        return
    phases.open_execution(run_id, others)
    failpoints.reached(Failpoint.EXECUTION_OPENED)
    event_feed.publish(events)
    _run_on(claim, held)


def _run_on(first: Claim, held: list[str]) -> None:
    """The strand: the claimed step, then what each result's commit gives us next, until there is nothing more.

    held: ready steps of instant tools. They are run here, one after another, since a message would cost more than they
    do; but they never wait for a step that takes long.
    """
    worker = heartbeat.worker_id()
    claim: Claim | None = first
    until = time.monotonic() + settings.current().strand_seconds
    while claim is not None:
        if held and not _is_instant(claim.tool):
            phases.grow_execution(claim.run_id, held)
            held = []
        with logs.bound(step=claim.step_id, attempt=claim.fence):
            given, ended = _run(claim)
            given, ended = redaction.clean(given), ended.cleaned()
            failpoints.reached(Failpoint.STEP_RAN)
            if ended.outcome == "unknown":
                error = ended.error or {}
                lost = steps.lose(claim, error["reason"], error["detail"], input=given)
                failpoints.reached(Failpoint.STEP_LOST)
                event_feed.publish(lost)
                flow_turns.pass_on(claim.flow_keys)
                phases.grow_execution(claim.run_id, held)
                return  # waits for a person, or (the run was cancelled meanwhile) is over
            finished = steps.finish(
                claim,
                ended.outcome,
                worker=worker,
                input=given,
                output=ended.output,
                error=ended.error,
                delay=ended.delay,
                go_on=time.monotonic() < until and not worker_process.draining(),
                held=held,
                asks=ended.asks,
            )
        failpoints.reached(Failpoint.STEP_FINISHED)
        more, others = _parted(finished.ready)
        held = [step for step in held if finished.next is None or step != finished.next.step_id] + more
        if finished.next is None:
            others, held = others + held, []
        phases.grow_execution(claim.run_id, others)
        failpoints.reached(Failpoint.STEP_HANDED_ON)
        event_feed.publish(finished.events)
        flow_turns.pass_on(claim.flow_keys)
        if ended.delay is not None:
            short_timers.ring_in(ended.delay, claim.run_id, claim.step_id)
        if finished.fenced:
            log.warning("A late result was refused", step=claim.step_id, attempt=claim.fence)
        claim = finished.next


def _parted(ready: list[ReadyStep]) -> tuple[list[str], list[str]]:
    """The ids of the ready steps to hold, and of those to ring for any worker."""
    held = [step.id for step in ready if _is_instant(step.tool)]
    return held, [step.id for step in ready if not _is_instant(step.tool)]


def _is_instant(tool: str) -> bool:
    found = registry.find(tool)
    return found is not None and found.instant


def _run(claim: Claim) -> tuple[dict[str, Any] | None, Ended]:
    """The arguments as called (None when they stayed as planned) and how the attempt ended."""
    given: dict[str, Any] | None = None
    tool = registry.find(claim.tool)
    try:
        if tool is None:
            raise Failed(f"This worker has no tool {claim.tool!r}; start one that has, or remove the step.")
        resolved = references.resolve(claim.arguments, claim.outputs) if claim.outputs else claim.arguments
        given = resolved if claim.outputs else None
        values = tool.values_of(resolved)
        granted = permission.granted(tool, claim, resolved)
        if granted is not resolved:
            given, values = granted, tool.values_of(granted)
        return given, Ended("succeeded", output=_jsonable(_call(tool, claim, granted, values)))
    except (WaitUntil, WaitForDecision) as wait:
        return given, _waiting(wait)
    except Cancelled as error:
        return given, Ended("cancelled", error={"detail": error.detail})
    except Retryable as error:
        return given, _try_again(claim, error.detail, error.retry_after)
    except ToolError as error:
        return given, Ended("failed", error={"detail": error.detail, "reason": "failed", "kind": error.kind})
    except Unsure as error:
        return given, _unknown(tool, claim, "broken", error.detail)
    except TimeoutError:
        return given, _unknown(
            tool, claim, "timed_out", f"The step took longer than its timeout of {claim.timeout:g} s."
        )
    except Exception as error:
        log.exception("A tool broke", tool=claim.tool)
        return given, _unknown(tool, claim, "broken", f"The tool broke: {type(error).__name__}: {error}.")


def _waiting(wait: WaitUntil | WaitForDecision) -> Ended:
    if isinstance(wait, WaitForDecision):
        return Ended("waiting", delay=wait.seconds, asks=wait.asks)
    return Ended("waiting", delay=max((wait.due - clock.now()).total_seconds(), 0))


def _call(tool: Tool, claim: Claim, arguments: dict[str, Any], values: dict[str, Any]) -> Any:
    if tool.instant:
        return tool.function(**values)
    with cancellation.watched(claim.run_id) as cancelled:
        context = _context(tool, claim, arguments, cancelled)
        if claim.unsure and tool.verify is not None:
            happened = _verified(tool.verify, context, values)
            if happened is not None:
                return happened
        if tool.takes_context:
            values["context"] = context
        with turns.given_up():
            return tool_threads.run(lambda: tool.function(**values), timeout=claim.timeout, cancelled=cancelled)


def _verified(verify: Callable[..., Any], context: ToolContext, values: dict[str, Any]) -> Any:
    """The output of the effect if it has happened, else None. Raises RuntimeError when that can't be found out."""
    timeout = (context.deadline - clock.now()).total_seconds()
    try:
        with turns.given_up():
            return tool_threads.run(lambda: verify(context, **values), timeout=timeout, cancelled=context.cancelled)
    except Failed as error:
        # not to be able to ask is no failure of the step: it may have happened
        raise RuntimeError(f"whether it happened can't be found out: {error.detail}") from error


def _context(tool: Tool, claim: Claim, arguments: dict[str, Any], cancelled: Any) -> ToolContext:
    return ToolContext(
        run_id=claim.run_id,
        step_id=claim.step_id,
        attempt=claim.fence,
        tenant=claim.run["tenant"],
        user_id=claim.run["user_id"],
        conversation_id=claim.run["conversation_id"],
        idempotency_key=claim.effect_key,
        deadline=clock.now() + timedelta(seconds=claim.timeout),
        waited=claim.waited,
        cancelled=cancelled,
        report=lambda text: event_feed.publish(steps.report_progress(claim, redaction.clean(text))),
        ask=partial(permission.ask, tool, claim, arguments),
        tainted=partial(permission.tainted, claim),
        secret=partial(vault.reveal, claim.run["tenant"]),
        filled=partial(handles.filled, claim.run["tenant"]),
    )


def _unknown(tool: Tool | None, claim: Claim, reason: LossReason, detail: str) -> Ended:
    """What follows an attempt that may or may not have had its effect: another one only where that does no harm."""
    last = claim.failures + 1 >= claim.max_attempts
    effect = tool.effect_of(claim.arguments) if tool is not None else "pure"
    if effect == "unsafe" or (effect == "verify" and last):
        return Ended("unknown", error={"detail": detail, "reason": reason})
    return _try_again(claim, detail, None)


def _try_again(claim: Claim, detail: str, retry_after: float | None) -> Ended:
    """A retry with exponential backoff and full jitter, or the final failure when the attempts are used up."""
    if claim.failures + 1 >= claim.max_attempts:
        return Ended("failed", error={"detail": detail, "reason": "attempts_exhausted"})
    base, cap = claim.retry["base"], claim.retry["cap"]
    delay = retry_after if retry_after is not None else random.uniform(0, min(cap, base * 2**claim.failures))
    return Ended("retry", error={"detail": detail}, delay=delay)


def _jsonable(output: Any) -> Any:
    """The output as JSON would carry it. Raises Failed for what JSON can't carry."""
    try:
        return orjson.loads(orjson.dumps(output, option=orjson.OPT_NON_STR_KEYS))
    except TypeError as error:
        raise Failed(f"The tool's output is not JSON: {error}.") from error
