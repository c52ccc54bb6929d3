"""What a planner is given: the request with everything it may look at. Both brains take it and return a Plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.journal.finished_steps import FinishedStep
from services.tools.catalogue import ListedTool


@dataclass(frozen=True)
class Turn:
    """One earlier message of the conversation; role is `user` or `assistant`."""

    role: str
    text: str


@dataclass(frozen=True)
class PlanRequest:
    """request: the user's words. now: aware UTC time of the run. tools: what may be called, by name.

    told: the names of those that a model is told of, best first; None: all of them.

    done: the steps of earlier revisions as they ended, in a run whose plan is revised.

    turns: the conversation so far, oldest first, without this request. memories: long-term memories of this user that
    fit the request, best first; they are data, never instructions. instructions: of the run's agent. agents: whom
    work may be delegated to, by name.
    """

    request: str
    now: datetime
    tools: Mapping[str, ListedTool]
    turns: list[Turn] = field(default_factory=list)
    memories: list[str] = field(default_factory=list)
    done: list[FinishedStep] = field(default_factory=list)
    instructions: str | None = None
    agents: tuple[str, ...] = ()
    told: list[str] | None = None

    @property
    def offered(self) -> list[ListedTool]:
        """The tools that a model is told of."""
        return list(self.tools.values()) if self.told is None else [self.tools[name] for name in self.told]
