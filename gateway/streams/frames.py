"""An event as streams carry it: encoded once, however many clients it goes to, and to the same text each time."""

from dataclasses import dataclass
from typing import Any

from services.journal import events, sequences


@dataclass(frozen=True, slots=True)
class Frame:
    """One event. text: its JSON, or None when all we know is that the journal has an event of this number."""

    seq: int
    text: str | None = None
    terminal: bool = False
    name: str | None = None


def of(event: dict[str, Any]) -> Frame:
    """The frame of an event in wire shape, or of a bare {workflowId, seq}.

    The last event of a run is taken from the journal, which tells it with the seal (sequences.py).
    """
    if "name" not in event or (events.is_terminal(event) and "sequence" not in event):
        return Frame(event["seq"])
    return Frame(event["seq"], sequences.text_of(event), events.is_terminal(event), event["name"])
