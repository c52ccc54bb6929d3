"""What flows between a run and those it has delegated to: cancelling and pausing downwards, a child's end upwards.

Downwards each child is moved by a commit of its own, at once where somebody asks for it and by every sweep: so nothing
that was delegated outlives its parent, whoever died in between. Upwards the journal has done it; here it is rung.
"""

from typing import Any

from services import database
from services.errors import PerdureError
from services.journal import delegations, event_feed, runs, surgery
from services.journal.event_names import EventName
from services.pipeline import phases

DEEPEST = 16


def flow_down() -> None:
    """Move every child to where its parent is, and theirs in turn."""
    for _ in range(DEEPEST):
        moves = delegations.to_move()
        for verb, tenant, child in moves:
            _move(verb, tenant, child)
        if not moves:
            return


def wake_parents(events: list[dict[str, Any]]) -> None:
    """Ring the steps that the ends of their children (told in these events) may have made ready."""
    for event in events:
        if event["name"] == EventName.CHILD_ENDED:
            phases.grow_execution(event["workflowId"], [event["stepId"]])


def _move(verb: str, tenant: str, child: str) -> None:
    try:
        if verb == "cancel":
            event_feed.publish(runs.request_cancel(tenant, child))
            return
        held = database.call("hold_child", child, tenant, verb == "pause")
        changed = surgery.changed(held, f"There is no run {child}.")
    except PerdureError:
        return  # it has ended meanwhile
    event_feed.publish(changed.events)
    phases.grow_execution(child, changed.ready)
    if changed.phase:
        phases.ring(child, changed.phase)
