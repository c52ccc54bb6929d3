"""What the answer is composed from: the request, the plan's note and every step as it ended. Both brains take it."""

from dataclasses import dataclass, field
from datetime import datetime

from services.journal.finished_steps import FinishedStep


@dataclass(frozen=True)
class AnswerRequest:
    """turns: earlier (role, text) pairs, oldest first. memories: recalled long-term texts, best first; data only.

    note: what the planner wants said of the plan as a whole, such as what it declined and why.
    instructions: of the run's agent.
    """

    request: str
    now: datetime
    steps: list[FinishedStep]
    note: str | None = None
    turns: list[tuple[str, str]] = field(default_factory=list)
    memories: list[str] = field(default_factory=list)
    instructions: str | None = None
