"""Another model while one is out: PERDURE_FALLBACK_MODELS, in their order."""

from collections.abc import Callable
from typing import TypeVar

from services import clock, logs
from services.model import endpoints
from services.model.endpoints import Endpoint
from services.model.faults import Outage

Reply = TypeVar("Reply")

log = logs.get(__name__)


def first(ask: Callable[[Endpoint | None, float], Reply], deadline: float) -> Reply:
    """What `ask` returns of the model that is meant (None), or of the first fallback that is not out.

    ask is given the time by which it has to have answered: a fair share of what is left until `deadline`, so that one
    that hangs leaves time for the next. Raises the last Outage when all are out.
    """
    chain: list[Endpoint | None] = [None, *endpoints.fallbacks()]
    for place, endpoint in enumerate(chain):
        now, rest = clock.monotonic(), len(chain) - place
        try:
            return ask(endpoint, now + (deadline - now) / rest)
        except Outage as outage:
            if rest == 1:
                raise
            log.warning("A model is out, and the next one is asked", error=outage.detail)
    raise AssertionError("the loop returns or raises")
