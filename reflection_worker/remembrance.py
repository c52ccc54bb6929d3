"""The last phase: stores what the run taught and ends it. Memory that fails never fails the run."""

from uuid import UUID

from reflection_worker import lessons
from services import failpoints, logs
from services.errors import PerdureError
from services.failpoints import Failpoint
from services.journal import event_feed, runs, steps
from services.journal.event_names import EventName
from services.pipeline import heartbeat
from services.tracing import spans

log = logs.get(__name__)


def remember(run_id: str) -> None:
    """Remember the answered run, if nobody else does, and end it."""
    phase = runs.claim_phase(run_id, "remember", heartbeat.worker_id())
    if phase is None:
        return
    try:
        with spans.phase(run_id, "remember", phase.fence):
            stored = lessons.remember_run(phase.run, steps.of_run(UUID(run_id)))
    except PerdureError as error:
        log.warning("Nothing was remembered", error=error.detail)
        stored = []
    except Exception:
        log.exception("Remembering broke")
        stored = []
    told = [{"name": EventName.MEMORY_STORED, "data": data} for data in lessons.told(phase.run["tenant"], stored)]
    failpoints.reached(Failpoint.MEMORIES_STORED)
    events = runs.finish(phase, told)
    failpoints.reached(Failpoint.RUN_ENDED)
    event_feed.publish(events or [])
