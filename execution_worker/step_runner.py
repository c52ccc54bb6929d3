"""Runs one attempt at a step: the arguments resolved and checked, the tool called, its end classified."""

import contextvars
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Literal

import orjson

from execution_worker import cancellation, control, permission, registry, replaying, signals, teams, tool_threads, turns
from services import clock, logs
from services.errors import BudgetExceeded, Cancelled, Failed, Retryable, ToolError
from services.journal import claims, event_feed, references
from services.journal.claims import Claim, LossReason, Outcome
from services.secrets import handles, redaction, vault
from services.spending import budgets, payers
from services.spending.payers import Payer
from services.tools.contract import Tool, ToolContext, Unsure, WaitForDecision, WaitUntil
from services.tracing import spans

log = logs.get(__name__)


@dataclass(frozen=True)
class Ended:
    """How one attempt ended.

    Besides what a tool does: `unknown` where nobody can tell, `unpaid` where a person is to raise a budget before,
    `skipped` by its condition, `expanded` into its items (output: their arguments). delay: seconds until a retry or a
    wait is due. asks: of a person, by a wait.
    """

    outcome: Outcome | Literal["succeeded", "unknown", "unpaid", "skipped", "expanded"]
    output: Any = None
    error: dict[str, Any] | None = None
    delay: float | None = None
    asks: dict[str, Any] | None = None

    def cleaned(self) -> "Ended":
        """Without the secrets that a tool may have let through."""
        return replace(self, output=redaction.clean(self.output), error=redaction.clean(self.error))


def run(claim: Claim) -> tuple[dict[str, Any] | None, Ended]:
    """The arguments as called (None when they stayed as planned) and how the attempt ended."""
    with spans.step(claim.run_id, claim.step_id, claim.fence, claim.tool) as span:
        given, ended = _run(claim)
        spans.outcome(span, ended.outcome, ended.error)
        return given, ended


def _run(claim: Claim) -> tuple[dict[str, Any] | None, Ended]:
    tool = registry.get(claim.tool)
    try:
        if claim.control is not None and (instead := control.decide(claim)) is not None:
            return None, _controlled(instead)
        resolved = references.resolve(claim.arguments, claim.outputs) if claim.outputs else claim.arguments
    except Failed as error:
        return None, Ended("failed", error=_told(error))
    given = resolved if claim.outputs else None
    if replaying.is_frozen(claim) and (told := replaying.recorded(claim, tool)) is not None:
        return given, Ended(**told)
    try:
        values = tool.values_of(resolved)
        granted = permission.granted(tool, claim, resolved)
        _charge(claim)
        if granted is not resolved:
            given, values = granted, tool.values_of(granted)
        return given, Ended("succeeded", output=_jsonable(_call(tool, claim, granted, values)))
    except (WaitUntil, WaitForDecision) as wait:
        return given, _waiting(wait)
    except ToolError as error:
        return given, _refused(claim, error)
    except Unsure as error:
        return given, _unknown(tool, claim, "broken", error.detail)
    except TimeoutError:
        return given, _unknown(
            tool, claim, "timed_out", f"The step took longer than its timeout of {claim.timeout:g} s."
        )
    except Exception as error:
        log.exception("A tool broke", tool=claim.tool)
        return given, _unknown(tool, claim, "broken", f"The tool broke: {type(error).__name__}: {error}.")


def _refused(claim: Claim, error: ToolError) -> Ended:
    """What a tool raised on purpose."""
    if isinstance(error, Cancelled):
        return Ended("cancelled", error={"detail": error.detail})
    if isinstance(error, Retryable):
        return _try_again(claim, error.detail, error.retry_after)
    unpaid = isinstance(error, BudgetExceeded) and error.on_exceed == "ask"
    return Ended("unpaid" if unpaid else "failed", error=_told(error))


def _controlled(instead: control.Skip | control.Collected | control.Items) -> Ended:
    if isinstance(instead, control.Skip):
        return Ended("skipped", error={"detail": instead.because})
    if isinstance(instead, control.Collected):
        return Ended("succeeded", output=instead.output)
    return Ended("expanded", output=instead.arguments)


def _told(error: ToolError) -> dict[str, Any]:
    return {"detail": error.detail, "reason": "failed", "kind": error.kind}


def _charge(claim: Claim) -> None:
    """Count a call of a tool, and with its first attempt a step. Raises BudgetExceeded."""
    if claim.run["accounts"]:
        amounts = {"toolCalls": 1.0, "steps": float(claim.fence == 1)}
        budgets.charge(claim.run["tenant"], tuple(claim.run["accounts"]), amounts)


def _payer(claim: Claim) -> Payer:
    run = claim.run
    replay = run["replay"] if replaying.is_frozen(claim) else None
    return Payer(run["tenant"], claim.run_id, claim.step_id, run["agent"], tuple(run["accounts"]), run["model"], replay)


def _waiting(wait: WaitUntil | WaitForDecision) -> Ended:
    if isinstance(wait, WaitForDecision):
        return Ended("waiting", delay=wait.seconds, asks=wait.asks)
    return Ended("waiting", delay=max((wait.due - clock.now()).total_seconds(), 0))


def _call(tool: Tool, claim: Claim, arguments: dict[str, Any], values: dict[str, Any]) -> Any:
    with spans.tool(tool.name, f"{claim.run_id}:{claim.step_id}", arguments):
        return _called(tool, claim, arguments, values)


def _called(tool: Tool, claim: Claim, arguments: dict[str, Any], values: dict[str, Any]) -> Any:
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
        with payers.paying(_payer(claim)):
            mine = contextvars.copy_context()  # the tool's thread knows who pays
        with turns.given_up():
            call = partial(mine.run, partial(tool.function, **values))
            return tool_threads.run(call, timeout=claim.timeout, cancelled=cancelled)


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
        report=lambda text: event_feed.publish(claims.report_progress(claim, redaction.clean(text))),
        ask=partial(permission.ask, tool, claim, arguments),
        signal=partial(signals.awaited, tool, claim),
        delegate=partial(teams.delegated, tool, claim),
        tainted=partial(permission.tainted, claim),
        secret=partial(vault.reveal, claim.run["tenant"]),
        filled=partial(handles.filled, claim.run["tenant"]),
    )


def _unknown(tool: Tool, claim: Claim, reason: LossReason, detail: str) -> Ended:
    """What follows an attempt that may or may not have had its effect: another one only where that does no harm."""
    last = claim.failures + 1 >= claim.max_attempts
    effect = tool.effect_of(claim.arguments)
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
