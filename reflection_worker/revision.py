"""The critic's verdict on what a model's plan has brought: good enough, plan again, or no use in trying further."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services import settings
from services.journal.finished_steps import FinishedStep
from services.spending import payers


@dataclass(frozen=True)
class Accept:
    """Answer."""


@dataclass(frozen=True)
class Revise:
    """Plan again; because: the sentence for the planner and for people."""

    because: str


@dataclass(frozen=True)
class GiveUp:
    """Answer with what there is, though it is not all. no_progress: a further revision would go in circles."""

    because: str
    no_progress: bool = False


def verdict(run: dict[str, Any], done: Sequence[FinishedStep]) -> Accept | Revise | GiveUp:
    """What to do about a settled run (as claimed for reflection).

    A plan of the model's is revised when the user has added something since it was made, and when a step of its newest
    revision failed, as long as revisions are left (PERDURE_MAX_REVISIONS) and the last one brought something: a planner
    that gets nowhere would go on for ever.
    """
    if (run["plan"] or {}).get("source") != "model" or not payers.model_answers():
        return Accept()
    if run["steering"]:
        return Revise(f"The user added: {' '.join(run['steering'])}"[:2_000])
    newest = [step for step in done if step.revision == run["plan_revision"]]
    failed = [step for step in newest if step.status == "failed"]
    if not failed:
        return Accept()
    revisions, most = run["plan_revision"] - 1, settings.current().max_revisions
    if revisions and not _brought(newest, done):
        return GiveUp("The last revision of the plan brought nothing, so no further one is made.", no_progress=True)
    if revisions >= most:
        return GiveUp(f"The plan has been revised {revisions} times, which is as often as it may be.")
    return Revise(" ".join(f"Step {step.id} ({step.tool}) failed: {step.error}" for step in failed)[:2_000])


def _brought(newest: Sequence[FinishedStep], done: Sequence[FinishedStep]) -> bool:
    """Whether the newest revision has brought anything that was not there before."""
    known = [step.output for step in done if step.revision < newest[0].revision and step.status == "succeeded"]
    return any(step.status == "succeeded" and step.output not in known for step in newest)
