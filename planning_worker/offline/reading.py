"""What a skill gives back for a clause (Reading) and what it may look at (Scene): the interface of all skills.

A skill is a module in `skills/` with `read(text: str, scene: Scene) -> Reading | None`; None means "not mine".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from planning_worker.plan_request import PlanRequest
from services.phrases import words

_NUMBER = re.compile(r"(?<![\w.:])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w:]|\.\d)")


@dataclass(frozen=True)
class Draft:
    """A step to be. after: ids of steps that must be done first though no argument refers to them.

    stands_in: only wanted while no other clause says what the page is read for.
    """

    id: str
    tool: str
    arguments: Mapping[str, Any]
    why: str
    after: tuple[str, ...] = ()
    stands_in: bool = False


@dataclass(frozen=True)
class Reading:
    """A clause, understood. said: an answer that needs no tool. declined: why it can't be done offline.

    value: what "that" means in the next clause, a reference or a literal number. topic: what a follow-up such as "and
    in Paris?" builds on; only the skill that wrote it reads it.
    """

    skill: str
    steps: tuple[Draft, ...] = ()
    said: str | None = None
    declined: str | None = None
    value: str | None = None
    topic: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """Where a clause stands. before: the readings of this request's earlier clauses, None for one not understood.

    earlier: the last thing understood in earlier turns. said: the text of the request before this clause.
    """

    request: PlanRequest
    before: tuple[Reading | None, ...] = ()
    earlier: Reading | None = None
    said: str = ""

    @property
    def today(self) -> date:
        return self.request.now.date()

    @property
    def last(self) -> Reading | None:
        """What the clause before was about; across turns too. None when that clause was not understood."""
        for reading in reversed(self.before):
            if reading is None or reading.declined:
                return None
            if reading.skill != "courtesy":
                return reading
        return self.earlier

    def value(self) -> str | None:
        """What "that" and "the result" mean: `${s1.value}`, or the number of the last answer, or None."""
        for reading in reversed(self.before):
            if reading is None or reading.declined:
                return None
            if reading.value is not None:
                return reading.value
        return self._answered_number()

    def step_id(self, offset: int = 0) -> str:
        """The id of the next step to be drafted."""
        taken = sum(len(reading.steps) for reading in self.before if reading)
        return f"s{taken + offset + 1}"

    def steps_of(self, tool: str) -> tuple[str, ...]:
        """Ids of the earlier steps of this request that call `tool`."""
        return tuple(draft.id for reading in self.before if reading for draft in reading.steps if draft.tool == tool)

    def _answered_number(self) -> str | None:
        for turn in reversed(self.request.turns[-6:]):
            if turn.role != "assistant":
                continue
            for sentence in reversed(words.sentences(turn.text)):
                if number := _number_told(sentence):
                    return number
        return None


def _number_told(sentence: str) -> str | None:
    """The number that a sentence of an answer gives: the first after "is", else the last. A time of day is none."""
    if re.search(r"\d:\d\d", sentence):
        return None
    told = _NUMBER.findall(re.split(r"\b(?:is|are|equals|been)\b|=", sentence)[-1])
    found = told[:1] or _NUMBER.findall(sentence)[-1:]
    return str(found[0]).replace(",", "") if found else None
