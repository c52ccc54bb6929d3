"""Replays: runs that are told by models and tools what another run was told, and where they differ from it."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services import database, settings
from services.errors import BadInput, FieldError, NotFound
from services.journal import blobs, plan_rules, runs, steps
from services.replay import histories, recordings
from services.tools import catalogue


class Replay(database.Base):
    """What a run is told."""

    __tablename__ = "replays"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    recording: Mapped[dict[str, Any]] = mapped_column(JSONB)


def create(tenant: str, recording: dict[str, Any], *, live_from: str | None = None) -> str:
    """Commit a run that is told this recording; returns its id. The caller rings it.

    live_from: this step and all that follows are done as in any run, with all their effects. Raises BadInput, and
    PlanRefused for a plan that breaks the rules by now (a tool is gone).
    """
    live = _following(recording, live_from) if live_from is not None else []
    run_id = runs.new_id()
    replay = {"model": recording["model"], "at": recording["createdAt"], "live": live}
    database.call(
        "create_replay",
        database.json(
            {
                "id": str(run_id),
                "tenant": tenant,
                "user_id": recording["userId"],
                "conversation_id": str(run_id),
                "request": recording["request"],
                "plan": _plan(recording) if recording["plan"] else None,
                "labels": {"replays": recording["source"]},
                "profile": {**recording["profile"], "replay": replay},
                "recording": recording,
            }
        ),
    )
    return str(run_id)


def report(tenant: str, run_id: str) -> dict[str, Any]:
    """Where a replay differs from what it replays: {source, ended, equal, digest, first, differences}.

    Raises NotFound for what is no replay.
    """
    run = runs.get(tenant, run_id)
    with database.session() as session:
        found = session.get(Replay, run.id)
        if found is None:
            raise NotFound(f"Run {run_id} is no replay.")
        blobs.resolve(session, [found], "recording")
    expected, got = found.recording["history"], recordings.history(run)
    different = histories.differences(expected, got)
    return {
        "source": found.recording["source"],
        "workflowId": run_id,
        "ended": run.phase is None,
        "equal": run.phase is None and histories.digest(expected) == histories.digest(got),
        "digest": {"expected": histories.digest(expected), "got": histories.digest(got)},
        "first": different[0] if different else None,
        "differences": different,
    }


def _plan(recording: dict[str, Any]) -> dict[str, Any]:
    """The plan that was brought, as create_run takes it. Raises PlanRefused where it breaks the rules by now."""
    current, tools = settings.current(), catalogue.listed()
    plan = plan_rules.parse(recording["plan"], "#/recording/plan")
    plan_rules.check(plan, tools, max_steps=current.max_steps, pointer="#/recording/plan")
    return {
        "brain": "replay",
        "source": "caller",
        "note": plan.note,
        "steps": steps.rows_of(plan, tools, required=True, attempts=current.step_attempts),
    }


def _following(recording: dict[str, Any], step_id: str) -> list[str]:
    """This step and all that needs it, by the recorded plan. Raises BadInput where there is no such step."""
    planned = [line["value"]["steps"] for line in recording["history"] if line["what"].startswith("revision ")]
    needs = {step["id"]: step["dependsOn"] for revision in planned for step in revision}
    if step_id not in needs:
        detail = f"There is no step {step_id[:80]!r} in the recorded plan; its steps are {', '.join(needs) or 'none'}."
        raise BadInput(detail, errors=[FieldError("#/liveFrom", detail)])
    live = [step_id]
    for name in live:
        live += [other for other, before in needs.items() if name in before and other not in live]
    return live
