"""Recordings: all that a run was given, as one JSON value that can be kept in a file and replayed on any stack."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services import clock, database
from services.errors import Conflict
from services.journal import blobs, events, plans, runs, steps
from services.journal.runs import Run
from services.journal.steps import Step
from services.replay import histories
from services.replay.recorded_calls import RecordedCall

VERSION = 1
_FIELDS = {
    **dict.fromkeys(("request", "agent", "promptVersion"), (str, type(None))),
    **dict.fromkeys(("source", "userId", "createdAt"), str),
    **dict.fromkeys(("profile", "tools"), dict),
    **dict.fromkeys(("calls", "steps", "history"), list),
    "plan": (dict, type(None)),
    "model": bool,
}
_PARTS = {
    "calls": {"holder", "number", "hash", "asked", "reply"},
    "steps": {"id", "status", "output", "error"},
    "history": {"at", "what", "value"},
}
MOST_EVENTS = 100_000


def of_run(tenant: str, run_id: str) -> dict[str, Any]:
    """The recording of an ended run. Raises NotFound, and Conflict for one that has not ended by itself."""
    run = runs.get(tenant, run_id)
    if run.phase is not None:
        raise Conflict(f"The run is {run.status}: it can be replayed once it has ended.")
    if run.status == "cancelled" or (run.error or {}).get("reason") == "deadline":
        raise Conflict("The run was cut (cancelled, or by its deadline), at a moment that no replay could repeat.")
    found, calls = steps.of_run(run.id), _calls(run.id)
    newest = plans.newest(run.id)
    return {
        "version": VERSION,
        "source": str(run.id),
        "request": run.request,
        "userId": run.user_id,
        "agent": run.agent,
        "profile": {name: value for name, value in (run.profile or {}).items() if name != "replay"},
        "createdAt": clock.to_wire(run.created_at),
        "model": any("/" not in call.holder for call in calls),
        "promptVersion": newest.prompt_version if newest else None,
        "tools": newest.tools if newest else {},
        "plan": _plan(run, found),
        "calls": [
            {"holder": call.holder, "number": call.number, "hash": call.hash, "asked": call.asked, "reply": call.reply}
            for call in calls
        ],
        "steps": [
            {"id": step.id, "tool": step.tool, "status": step.status, "output": step.output, "error": step.error}
            for step in found
        ],
        "history": histories.of(_told(run), found, calls),
    }


def fault(recording: dict[str, Any]) -> str | None:
    """Why this can't be replayed, as a JSON pointer with a sentence; None when it can."""
    if recording.get("version") != VERSION:
        return f"/version is not {VERSION}: record the run anew."
    try:
        datetime.fromisoformat(recording["createdAt"])
    except (KeyError, TypeError, ValueError):
        return "/createdAt is no time."
    for name, kind in _FIELDS.items():
        if not isinstance(recording.get(name), kind):  # type: ignore[arg-type]
            return f"/{name} is missing or of the wrong type."
    for name, wanted in _PARTS.items():
        for index, part in enumerate(recording[name]):
            if not isinstance(part, dict) or not wanted <= set(part):
                return f"/{name}/{index} needs {', '.join(sorted(wanted))}."
    return None


def history(run: Run) -> list[histories.Line]:
    """The history of any run as far as it has come."""
    return histories.of(_told(run), steps.of_run(run.id), _calls(run.id))


def _told(run: Run) -> list[dict[str, Any]]:
    return events.after(run.id, 0, limit=MOST_EVENTS)


def _calls(run_id: UUID) -> list[RecordedCall]:
    query = select(RecordedCall).where(RecordedCall.run_id == run_id)
    with database.session() as session:
        found = list(session.scalars(query.order_by(RecordedCall.holder, RecordedCall.number)))
        blobs.resolve(session, found, "reply")
        return found


def _plan(run: Run, found: list[Step]) -> dict[str, Any] | None:
    """The plan that the run was given, as a caller would bring it; None where it was made from the request."""
    with database.session() as session:
        brought = session.get(plans.AcceptedPlan, (run.id, 1))
    if brought is None or brought.source != "caller":
        return None
    first = [step for step in found if step.plan_revision == 1 and "[" not in step.id]
    return {"steps": [_step(step) for step in first], "note": brought.note}


def _step(step: Step) -> dict[str, Any]:
    control = step.control or {}
    return {
        "id": step.id,
        "tool": step.tool,
        "arguments": step.arguments,
        "dependsOn": [name for name in step.depends_on if "[" not in name],  # but for the items that it became
        "when": control.get("when"),
        "forEach": control.get("forEach"),
        "timeout": step.timeout,
        "retry": step.retry,
        "required": step.required,
        "flow": step.flow,
        "why": step.why,
    }
