"""Steps as they ended: what the critic judges, an answer is composed from, and a revised plan builds on."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FinishedStep:
    """A step as it ended. status: succeeded, failed, skipped or cancelled; error: the sentence of the failure.

    arguments: as it was called; planned: as the plan had them, with references. revision: of its plan.
    """

    id: str
    tool: str
    why: str | None
    arguments: dict[str, Any]
    status: str
    output: Any
    error: str | None
    depends_on: list[str] = field(default_factory=list)
    required: bool = False
    revision: int = 1
    planned: dict[str, Any] = field(default_factory=dict)
