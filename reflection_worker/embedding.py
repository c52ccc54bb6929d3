"""Gives new memories their vectors, batch by batch, and moves all to another model when that was asked for.

Until a memory has its vector it is found by its words.
"""

import time

from services import logs
from services.errors import Unavailable
from services.memory import reembedding, vector_index, vectors
from services.pipeline import phases, worker_process

BATCH = 32
SLOT_SECONDS = 20

log = logs.get(__name__)


def embed_pending() -> None:
    """Embed for a while; ring again when something is left. Doubled messages share the work and double nothing.

    What searches use comes before what they will use after a move.
    """
    until = time.monotonic() + SLOT_SECONDS
    try:
        for model in dict.fromkeys((vectors.active(), reembedding.building())):
            if model is not None and not _embedded_all(model, until):
                return
        reembedding.finish()
        space = vectors.active_space()
        if space is not None:
            vector_index.ensure(space)
    except Unavailable as error:
        log.warning("Memories wait for their vectors", reason=error.detail)


def _embedded_all(model: str, until: float) -> bool:
    """Whether nothing is left of this model's queue; if not, another message has been sent or the sweeper sends one."""
    while vectors.embed_pending(BATCH, model=model) == BATCH:
        if worker_process.draining():
            return False  # the sweeper rings another worker
        if time.monotonic() > until:
            phases.ring_embedding()
            return False
    return True
