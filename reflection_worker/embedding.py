"""Gives imported memories their vectors, batch by batch; until then they are found by their words."""

import time

from services import logs
from services.errors import Unavailable
from services.memory import memories
from services.pipeline import phases, worker_process

BATCH = 32
SLOT_SECONDS = 20

log = logs.get(__name__)


def embed_pending() -> None:
    """Embed for a while; ring again when something is left. Doubled messages share the work and double nothing."""
    until = time.monotonic() + SLOT_SECONDS
    try:
        while memories.embed_pending(BATCH) == BATCH:
            if worker_process.draining():
                return  # the sweeper rings another worker
            if time.monotonic() > until:
                phases.ring_embedding()
                return
    except Unavailable as error:
        log.warning("Memories wait for their vectors", reason=error.detail)
