"""Waiting for a run in a request that must answer soon."""

import time

import orjson

from gateway.mcp_front import deciding
from gateway.streams import capacity, following
from gateway.streams.following import Interrupted
from services.journal import runs
from services.journal.runs import Run

LONGEST = 25.0  # seconds; routers cut what is silent for 30


def until_it_needs_you(run: Run, seconds: float) -> Run:
    """The run as it is once it has ended, or asks something of a person, or `seconds` have passed."""
    if run.phase is None or deciding.open_of(run.tenant, run.id):
        return run
    deadline = time.monotonic() + seconds
    with capacity.place():
        try:
            for batch in following.follow(run, run.last_seq, tick=min(1.0, max(0.05, seconds))):
                asked = any(orjson.loads(frame.text or "{}")["name"] == "approval.requested" for frame in batch)
                if asked or time.monotonic() >= deadline:
                    break
        except Interrupted:
            pass
    return runs.get(run.tenant, str(run.id))
