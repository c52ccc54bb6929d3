"""Modes: which events a stream shows. A mode only filters: the numbers stay the run's, the last event always comes."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gateway.streams.frames import Frame
from services.journal.event_names import EventName

Mode = Literal["status", "steps", "tokens", "tools", "debug"]

_STATUS = {
    name
    for name in EventName
    if name.startswith(("run.", "approval.", "budget.")) or name == EventName.ANSWER_COMPLETED
}
_STEPS = {name for name in EventName if name.startswith(("plan.", "step.", "child."))} - {EventName.STEP_PROGRESS}
SHOWN: dict[Mode, frozenset[str]] = {
    "status": frozenset(_STATUS),  # how the run stands, and what it asks of people
    "steps": frozenset(_STEPS),  # the plan, and how each step stands
    "tokens": frozenset({EventName.ANSWER_DELTA, EventName.ANSWER_COMPLETED}),  # the answer as it is written
    "tools": frozenset(  # what tools are called with, say on the way, and bring
        {
            EventName.STEP_STARTED,
            EventName.STEP_PROGRESS,
            EventName.STEP_RETRYING,
            EventName.STEP_SUCCEEDED,
            EventName.STEP_FAILED,
            EventName.APPROVAL_REQUESTED,
            EventName.APPROVAL_DECIDED,
        }
    ),
    "debug": frozenset(EventName),  # all there is
}


def _split(value: Any) -> Any:
    """Several in one, by comma."""
    given = [value] if isinstance(value, str) else value
    return [mode for each in given for mode in str(each).split(",")]


Modes = Annotated[
    list[Mode],
    BeforeValidator(_split),
    Field(description="Only the events of these modes, by comma; all events if left out.", examples=["status,tokens"]),
]


def names(modes: Sequence[Mode]) -> frozenset[str] | None:
    """The names of the events that these modes show; None for all."""
    return frozenset().union(*(SHOWN[mode] for mode in modes)) if modes and "debug" not in modes else None


def passing(batch: Sequence[Frame], wanted: frozenset[str] | None) -> Sequence[Frame]:
    """Those that are wanted, and the last one."""
    return batch if wanted is None else [frame for frame in batch if frame.terminal or frame.name in wanted]
