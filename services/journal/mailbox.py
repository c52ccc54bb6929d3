"""Messages between the runs of a tree: signals of one name, each sent to one run, kept until it reads them.

A message is sent once however often its step is repeated, and a batch that was read is the same on every attempt.
"""

from typing import Any

from services import database
from services.journal import signals
from services.journal.signals import Woken

NAME = "perdure.message"


def addressed(run_id: str, to: str) -> list[str]:
    """The living runs of the same tree that are meant: `parent`, all of an agent's name, or one by its id."""
    return database.call("addressed", run_id, to)


def send(tenant: str, sender: str, run_id: str, message: Any, *, key: str) -> list[Woken]:
    """Keep the message for that run; returns the step that it woke, if it did."""
    said = database.call("told_by", sender, database.json(message))
    sent = database.call("send_signal", tenant, NAME, run_id, database.json(said), f"{key}>{run_id}")
    return signals.wake(sent["waiting"], NAME)


def taken(run_id: str, step_id: str, most: int) -> list[dict[str, Any]]:
    """The message that this step was woken by, and those after it; other steps will read what comes later."""
    return database.call("take_messages", run_id, step_id, NAME, most)
