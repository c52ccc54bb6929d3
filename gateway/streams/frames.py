"""An event as streams carry it: encoded once, however many clients it goes to."""

from dataclasses import dataclass
from typing import Any

import orjson

from services.journal import events


@dataclass(frozen=True, slots=True)
class Frame:
    """One event. text: its JSON, or None when all we know is that the journal has an event of this number."""

    seq: int
    text: str | None = None
    terminal: bool = False


def of(event: dict[str, Any]) -> Frame:
    """The frame of an event in wire shape, or of a bare {workflowId, seq}."""
    if "name" not in event:
        return Frame(event["seq"])
    return Frame(event["seq"], orjson.dumps(event).decode(), events.is_terminal(event))
