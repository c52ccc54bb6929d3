"""Letting runs begin that were held back (`notBefore`, `coalesce`), and cancelling those that had to begin and did not
(`ttl`). By the sweeper, by the database's clock."""

from services import database
from services.journal import event_feed
from services.pipeline import phases

BATCH = 100


def begin_due() -> int:
    """Ring the runs whose time has come; returns how many. A message that is lost the sweeper sends again."""
    swept = database.call("sweep_held", BATCH)
    event_feed.publish(swept["events"])
    for run_id, phase in swept["released"]:
        phases.ring(run_id, phase)
    return len(swept["released"])
