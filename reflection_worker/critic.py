"""The critic: accepts what the steps brought and answers, or gives up and says why with what there is."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from reflection_worker import offline_answer, revision
from reflection_worker.answer_request import AnswerRequest
from services import failpoints, logs
from services.agents import profiles
from services.errors import BudgetExceeded, PerdureError, Retryable, Unavailable
from services.failpoints import Failpoint
from services.journal import event_feed, plans, runs
from services.journal.event_names import EventName
from services.journal.finished_steps import FinishedStep
from services.journal.steps import StepStatus
from services.pipeline import heartbeat, phases, teams
from services.spending import payers
from services.tracing import spans

MAX_FAILURES = 5
DELTA_SECONDS = 0.06  # deltas of a streamed answer are written together for this long: one commit each

log = logs.get(__name__)


class _Fenced(Exception):
    """Somebody else owns the phase now, or the run was cancelled: stop without a word."""


def reflect(run_id: str) -> None:
    """Answer the run if it is settled and nobody else does."""
    phase = runs.claim_phase(run_id, "reflect", heartbeat.worker_id())
    if phase is None:
        return
    failpoints.reached(Failpoint.REFLECTION_CLAIMED)
    try:
        with spans.phase(run_id, "reflect", phase.fence), payers.paying(payers.of_phase(phase.run, "answer")):
            _judge(phase)
    except _Fenced:
        log.info("Reflection stopped: the run was cancelled or taken over")
    except PerdureError as error:
        _fail(phase, error)
    except Exception as error:
        log.exception("Reflection broke")
        _fail(phase, Unavailable(f"Reflection broke: {type(error).__name__}."))


def _judge(phase: runs.Phase) -> None:
    """Answer with what there is, or have a better plan made first."""
    done = [FinishedStep(**step) for step in phase.run["steps"]]
    verdict = revision.verdict(phase.run, done) if phase.run["error"] is None else revision.Accept()
    if isinstance(verdict, revision.Revise):
        requested = {"revision": phase.run["plan_revision"] + 1, "because": verdict.because}
        told = plans.revise(phase, [{"name": EventName.PLAN_REVISION_REQUESTED, "data": requested}])
        if told is None:
            raise _Fenced
        failpoints.reached(Failpoint.REVISION_REQUESTED)
        phases.ring(phase.run_id, "plan")
        event_feed.publish(told)
        return
    if isinstance(verdict, revision.GiveUp):
        if verdict.no_progress:
            reined_in = {"sign": "no_progress", "action": "finish", "because": verdict.because}
            _tell(phase, EventName.RUN_REINED_IN, reined_in)
        _tell(phase, EventName.PLAN_GIVEN_UP, {"because": verdict.because})
    _answer(phase, done)


def _answer(phase: runs.Phase, done: list[FinishedStep]) -> None:
    pieces = _pieces(phase.run, done)
    try:
        answer = "".join(_streamed(phase, pieces))
    except BudgetExceeded as exceeded:
        if exceeded.on_exceed == "ask":
            raise
        asked = replace(_asked(phase.run, done), note=exceeded.detail)  # without a model: what the results say by rules
        answer = "".join(_streamed(phase, offline_answer.compose(asked).splitlines(keepends=True)))
    outcome = {
        "answer": answer,
        "error": _error(done),
        "usage": {"answer": usage.to_wire()} if (usage := getattr(pieces, "usage", None)) else {},
        "remember": _is_remembered(phase.run),
    }
    failpoints.reached(Failpoint.ANSWER_MADE)
    accepted = runs.accept_answer(phase, outcome)
    if accepted is None:
        raise _Fenced
    failpoints.reached(Failpoint.ANSWER_ACCEPTED)
    if accepted["phase"] == "remember":
        phases.ring(phase.run_id, "remember")
    teams.wake_parents(accepted["events"])
    event_feed.publish(accepted["events"])


def _is_remembered(run: dict[str, Any]) -> bool:
    """What a child has found is its parent's to remember, and a replay finds nothing."""
    told = run["parent"] is not None or (run["profile"] or {}).get("replay") is not None
    return run["request"] is not None and not told and profiles.remembers(run)


def _pieces(run: dict[str, Any], done: list[FinishedStep]) -> Iterable[str]:
    """The answer in pieces: the model's, or a caller's plan's results as they are, or composed by rules."""
    plan = run["plan"] or {}
    asked = _asked(run, done)
    if run["request"] is None or (plan.get("source") == "caller" and not payers.model_answers()):
        return [offline_answer.leaf_outputs(asked)]
    asked = replace(
        asked,
        turns=profiles.turns(run),
        memories=profiles.memories(run),
    )
    if payers.model_answers():
        from reflection_worker import model_answer  # only who asks a model loads the client library

        return model_answer.stream(asked)
    return offline_answer.compose(asked).splitlines(keepends=True)


def _asked(run: dict[str, Any], done: list[FinishedStep]) -> AnswerRequest:
    return AnswerRequest(
        request="\n\nThe user added meanwhile:\n".join([run["request"] or "", *run["steered"]]),
        now=datetime.fromisoformat(profiles.moment(run)),
        steps=done,
        note=(run["plan"] or {}).get("note"),
        instructions=(run["profile"] or {}).get("instructions"),
    )


def _streamed(phase: runs.Phase, pieces: Iterable[str]) -> Iterator[str]:
    """Pass the pieces on, writing them as `answer.delta` events on the way, several at once when they come fast."""
    waiting = ""
    written = time.monotonic()
    for piece in pieces:
        waiting += piece
        if time.monotonic() - written >= DELTA_SECONDS:
            _write_delta(phase, waiting)
            yield waiting
            waiting, written = "", time.monotonic()
    if waiting and phase.run["request"] is not None:
        _write_delta(phase, waiting)
    yield waiting


def _write_delta(phase: runs.Phase, text: str) -> None:
    _tell(phase, EventName.ANSWER_DELTA, {"text": text, "attempt": phase.fence})


def _tell(phase: runs.Phase, name: EventName, data: dict[str, Any]) -> None:
    events = runs.append_events(phase, [{"name": name, "data": data}])
    if events is None:
        raise _Fenced
    event_feed.publish(events)


def _error(done: list[FinishedStep]) -> dict[str, Any] | None:
    """Why the run failed, or None: a required step failed, or nothing at all succeeded."""
    failed = [step for step in done if step.status == StepStatus.FAILED]
    fatal = [step for step in failed if step.required]
    if not fatal and not (failed and not any(step.status == StepStatus.SUCCEEDED for step in done)):
        return None
    first = (fatal or failed)[0]
    return {"detail": f"Step {first.id} ({first.tool}) failed: {first.error}", "step": first.id}


def _fail(phase: runs.Phase, error: PerdureError) -> None:
    if isinstance(error, BudgetExceeded):  # on_exceed: ask
        event_feed.publish(runs.pause_for_budget(phase.run_id, error.detail))
        event_feed.publish(runs.fail_phase(phase, detail=error.detail, retry_in=0) or [])
        return
    again = isinstance(error, Unavailable | Retryable) and phase.run["phase_failures"] + 1 < MAX_FAILURES
    wait = getattr(error, "retry_after", None) or min(2.0 ** phase.run["phase_failures"], 30.0)
    log.warning("Reflection failed", error=error.detail, again_in=wait if again else None)
    detail = f"The answer could not be written: {error.detail}"
    events = runs.fail_phase(phase, detail=detail, retry_in=wait if again else None) or []
    teams.wake_parents(events)
    event_feed.publish(events)
