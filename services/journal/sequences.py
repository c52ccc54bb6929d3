"""The seal of a finished run's events: how many there are, and a hash of them all, told with the last one.

A client chains what it receives: h = sha256(h + text of the event), beginning with "". The last event's `sequence` has
the h of all events before it, so whoever has the same h has missed nothing, in no place. Worked out when the last event
is read: nothing of it costs the run. docs/api.md says it for clients.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import orjson

KEPT = 1_000

_lock = threading.Lock()
_known: "OrderedDict[UUID, str]" = OrderedDict()


def text_of(event: dict[str, Any]) -> str:
    """The one text of an event on every wire: JSON without spaces, keys in order."""
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS).decode()


def chained(events: Iterable[dict[str, Any]], begun: str = "") -> str:
    """The hash after these events, going on from `begun`."""
    for event in events:
        begun = hashlib.sha256((begun + text_of(event)).encode()).hexdigest()
    return begun


def sealed(last: dict[str, Any], before: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """The last event of a run with its seal. before: all events before it, read only where the hash is not known."""
    run_id = UUID(last["workflowId"])
    with _lock:  # many followers see the end at once; one of them works it out
        if run_id not in _known:
            _known[run_id] = chained(before)
            if len(_known) > KEPT:
                _known.popitem(last=False)
        return {**last, "sequence": {"count": last["seq"], "hash": _known[run_id]}}
