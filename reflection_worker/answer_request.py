"""What the answer is composed from: the request, the plan's note and every step as it ended. Both brains take it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class FinishedStep:
    """A step as it ended. status: succeeded, failed, skipped or cancelled; error: the sentence of the failure."""

    id: str
    tool: str
    why: str | None
    arguments: dict[str, Any]
    status: str
    output: Any
    error: str | None
    depends_on: list[str] = field(default_factory=list)
    required: bool = False


@dataclass(frozen=True)
class AnswerRequest:
    """turns: earlier (role, text) pairs, oldest first. memories: recalled long-term texts, best first; data only.

    note: what the planner wants said of the plan as a whole, such as what it declined and why.
    """

    request: str
    now: datetime
    steps: list[FinishedStep]
    note: str | None = None
    turns: list[tuple[str, str]] = field(default_factory=list)
    memories: list[str] = field(default_factory=list)
