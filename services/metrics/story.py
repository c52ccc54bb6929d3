"""What the events that this process has committed tell: steps, runs, retries, model calls.

Read by the thread that publishes them, so that whoever commits pays nothing. A step's time is from its claim to its
result, by the database's clock, which put both on the events.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from services import logs
from services.journal import event_feed
from services.metrics import families, tally

MOST_OPEN = 20_000  # begun steps to remember; those of killed runs are never ended here

OUTCOMES = {
    "step.succeeded": "succeeded",
    "step.failed": "failed",
    "step.retrying": "retrying",
    "step.waiting": "waiting",
    "step.cancelled": "cancelled",
    "step.in_doubt": "in_doubt",
}
LOST = ("lost", "timed_out")
ENDED = {"run.succeeded": "succeeded", "run.failed": "failed", "run.cancelled": "cancelled"}
UNKNOWN = "unknown"

log = logs.get(__name__)
_begun: dict[tuple[str, str], tuple[str, str]] = {}


def begin() -> None:
    """Count in this process from now on."""
    event_feed.read_by(read)
    tally.start()


def read(events: list[dict[str, Any]]) -> None:
    """Count what these events tell. Never raises."""
    try:
        for event in events:
            _read(event["name"], event)
    except (KeyError, TypeError, ValueError) as error:
        log.warning("An event could not be counted", error=str(error))


def _read(name: str, event: dict[str, Any]) -> None:
    if name == "step.started":
        if len(_begun) >= MOST_OPEN:
            _begun.clear()
        _begun[(event["workflowId"], event["stepId"])] = (event["data"]["tool"], event["at"])
    elif name in OUTCOMES:
        _step_ended(name, event)
    elif name in ENDED:
        _run_ended(ENDED[name], event)
    elif name == "model.called":
        _model_called(event["data"], "step" if event["stepId"] else str(event["data"].get("for") or UNKNOWN))


def _step_ended(name: str, event: dict[str, Any]) -> None:
    tool, began = _begun.pop((event["workflowId"], event["stepId"]), (UNKNOWN, None))
    data = event["data"]
    if began is None and "attempt" not in data:
        return  # skipped or cancelled before it began: no attempt has ended
    tally.count(families.STEPS_ENDED, tool, OUTCOMES[name])
    if began is not None:
        tally.observe(families.STEP_SECONDS, _seconds(began, event["at"]), tool)
    reason = (data.get("error") or {}).get("reason")
    if name == "step.retrying":
        tally.count(families.RETRIES, reason or "failed")
    if reason in LOST:
        tally.count(families.LEASES_LOST, reason)


def _run_ended(status: str, event: dict[str, Any]) -> None:
    tally.count(families.RUNS_ENDED, status)
    run_id = UUID(event["workflowId"])
    if run_id.version == 7:  # its first 48 bits say when it was accepted
        accepted = (run_id.int >> 80) / 1000
        ended = datetime.fromisoformat(event["at"]).timestamp()
        tally.observe(families.RUN_SECONDS, max(ended - accepted, 0.0), status)


def _model_called(data: dict[str, Any], purpose: str) -> None:
    model = str(data["model"])
    tally.count(families.MODEL_CALLS, model, purpose)
    for direction, field in (("input", "inputTokens"), ("output", "outputTokens"), ("cached", "cachedTokens")):
        if data.get(field):
            tally.count(families.MODEL_TOKENS, model, direction, amount=float(data[field]))
    if data.get("cost"):
        tally.count(families.MODEL_COST, model, amount=float(data["cost"]))


def _seconds(began: str, ended: str) -> float:
    return max((datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds(), 0.0)
