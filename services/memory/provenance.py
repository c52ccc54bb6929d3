"""Where the words of a run come from: people, our own tools, or outside, and what outside has planted in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.errors import NotFound
from services.journal import runs
from services.journal import steps as steps_of
from services.journal.steps import Step, StepStatus
from services.memory import gate

_READ_OUTSIDE = {"fetch_page", "http_request"}
_LONGEST = 100_000  # characters of an output that are looked at


@dataclass(frozen=True)
class Outside:
    """What a step brought in from outside: which step, from where, and its texts."""

    step_id: str
    url: str | None
    text: str


def outside(steps: Iterable[Step]) -> list[Outside]:
    """What these steps read from outside: pages, other systems' answers, MCP tools."""
    return [
        Outside(step.id, _url(step), "\n".join(_texts(step.output))[:_LONGEST])
        for step in steps
        if step.status == StepStatus.SUCCEEDED and (step.tool in _READ_OUTSIDE or step.tool.startswith("mcp"))
    ]


def trust(text: str, request: str | None, steps: Sequence[Step]) -> str:
    """How far a text that a run wants to keep is to be trusted.

    What stands in the request was said by a person. Anything else, once the run has read something from outside, may
    come from there.
    """
    if request and gate.words(text).strip() and gate.words(text) in gate.words(request):
        return "person"
    return "outside" if outside(steps) else "agent"


def of_text(tenant: str, run_id: str, text: str) -> tuple[str, str | None]:
    """The trust of a text that a live run wants to keep, and the first address that the run has read from."""
    try:
        request = runs.get(tenant, run_id).request
    except NotFound:
        request = None  # its row is gone; so are its steps
    ended = steps_of.of_run(UUID(run_id))
    return trust(text, request, ended), next((source.url for source in outside(ended) if source.url), None)


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
