"""Where the words of a run come from: people, our own tools, or outside, and what outside has planted in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.approvals import approvals
from services.errors import NotFound
from services.journal import runs
from services.journal import steps as steps_of
from services.journal.steps import Step, StepStatus
from services.memory import gate
from services.tools import catalogue

_LONGEST = 100_000  # characters of an output that are looked at


@dataclass(frozen=True)
class Outside:
    """What a step brought in from outside: which step, from where, and its texts."""

    step_id: str
    url: str | None
    text: str


def outside(steps: Iterable[Step]) -> list[Outside]:
    """What these steps read from outside: pages, other systems' answers, MCP tools. The catalogue knows which do.

    What other runs have done for this one is outside too, if any run of its tree has read something from there.
    """
    ended = [step for step in steps if step.status == StepStatus.SUCCEEDED]
    untrusted = catalogue.untrusted({step.tool for step in ended})
    delegating = next((step for step in ended if step.tool == "delegate"), None)
    if delegating and catalogue.untrusted(approvals.facts(str(delegating.run_id)).tools):
        untrusted.add("delegate")
    return [
        Outside(step.id, _url(step), "\n".join(_texts(step.output))[:_LONGEST])
        for step in ended
        if step.tool in untrusted
    ]


def of_text(tenant: str, run_id: str, text: str) -> tuple[str, str | None]:
    """How far a text that a live run wants to keep is to be trusted, and the first address that the run has read from.

    What stands in the request was said by a person. Anything else, once the run has read something from outside, may
    come from there.
    """
    try:
        request = runs.get(tenant, run_id).request
    except NotFound:
        request = None  # its row is gone; so are its steps
    sources = outside(steps_of.of_run(UUID(run_id)))
    url = next((source.url for source in sources if source.url), None)
    if request and gate.words(text).strip() and gate.words(text) in gate.words(request):
        return "person", url
    return "outside" if sources else "agent", url


def _url(step: Step) -> str | None:
    for holder in (step.output, step.input, step.arguments):
        if isinstance(holder, dict) and isinstance(holder.get("url"), str):
            return str(holder["url"])[:2_000]
    return None


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in parts for text in _texts(part)]
