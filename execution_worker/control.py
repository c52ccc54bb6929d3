"""What comes before a step's tool: its `when` may leave it out, its `forEach` makes a step of every item.

The outputs of the items are collected, in order, as the output of the step that they came from.
"""

from dataclasses import dataclass, field
from typing import Any

from services.errors import Failed
from services.journal import conditions, references
from services.journal.claims import Claim

MAX_ITEMS = 1_000


@dataclass(frozen=True)
class Skip:
    """The step's condition does not hold."""

    because: str


@dataclass(frozen=True)
class Collected:
    """The outputs of all items."""

    output: list[Any]


@dataclass(frozen=True)
class Items:
    """The arguments of a step for each item."""

    arguments: list[dict[str, Any]] = field(default_factory=list)


def decide(claim: Claim) -> Skip | Collected | Items | None:
    """What is to be done instead of calling the tool; None to call it. Raises Failed when that can't be said."""
    control = claim.control or {}
    if "items" in control:
        return Collected([claim.outputs.get(item_id(claim.step_id, at)) for at in range(control["items"])])
    if "when" in control and not conditions.holds(control["when"], claim.outputs):
        return Skip(f"its condition {control['when']} does not hold")
    if "forEach" not in control:
        return None
    items = references.resolve(control["forEach"], claim.outputs)
    if not isinstance(items, list):
        raise Failed(f"forEach needs a list, and {control['forEach']} is {_kind(items)}.")
    if len(items) > MAX_ITEMS:
        raise Failed(f"forEach has {len(items)} items; at most {MAX_ITEMS} are taken.")
    if not items:
        return Collected([])
    return Items([references.of_item(claim.arguments, item, index) for index, item in enumerate(items)])


def item_id(step_id: str, index: int) -> str:
    """The id of the step for one item."""
    return f"{step_id}[{index}]"


def _kind(value: Any) -> str:
    kinds = {dict: "an object", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "nothing")
