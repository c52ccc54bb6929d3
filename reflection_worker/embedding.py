"""Gives new memories and tools their vectors, batch by batch, and moves memories to another model when asked to.

Until a memory or a tool has its vector it is found by its words.
"""

import time

from services import logs
from services.errors import Unavailable
from services.memory import reembedding, vector_index, vectors
from services.pipeline import phases, worker_process
from services.tools import catalogue, tool_vectors

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
        _embed_tools(until)
    except Unavailable as error:
        log.warning("Memories or tools wait for their vectors", reason=error.detail)


def _embedded_all(model: str, until: float) -> bool:
    """Whether nothing is left of this model's queue; if not, another message has been sent or the sweeper sends one."""
    while vectors.embed_pending(BATCH, model=model) == BATCH:
        if worker_process.draining():
            return False  # the sweeper rings another worker
        if time.monotonic() > until:
            phases.ring_embedding()
            return False
    return True


def _embed_tools(until: float) -> None:
    """Those that somebody looked for: whoever finds a tool without vectors rings."""
    tools = catalogue.listed().values()
    while tool_vectors.embed_missing(tools) == tool_vectors.BATCH:
        if worker_process.draining():
            return
        if time.monotonic() > until:
            phases.ring_embedding()
            return
