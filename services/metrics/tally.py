"""What happens in this process, counted in memory and added up in Redis every two seconds.

One hash for all processes, so it does not matter which gateway is asked. Redis is disposable: after a loss the counters
begin at nothing, which Prometheus takes for a restart. A process that is killed takes two seconds' counts along.
"""

import os
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable

import orjson
import redis

from services import logs
from services.errors import PerdureError
from services.journal import event_feed
from services.metrics.families import SECONDS, Family

COUNTS = "perdure:metrics"
LIVE = "perdure:metrics:live"
SEND_SECONDS = 2.0
FORGOTTEN_AFTER = 10.0  # seconds; what a process said of itself, when it does not say it again

Labels = tuple[str, ...]

log = logs.get(__name__)
_lock = threading.Lock()
_counts: dict[tuple[str, Labels, str], float] = defaultdict(float)
_gauges: dict[str, Callable[[], float]] = {}
_started = 0
_stopped = threading.Event()


def count(family: Family, *labels: str, amount: float = 1.0) -> None:
    """One more (or `amount` more) of it."""
    with _lock:
        _counts[(family.name, labels, "")] += amount


def observe(family: Family, seconds: float, *labels: str) -> None:
    """It took so long."""
    at = bisect_left(SECONDS, seconds)
    bucket = str(SECONDS[at]) if at < len(SECONDS) else "+Inf"
    with _lock:
        _counts[(family.name, labels, bucket)] += 1
        _counts[(family.name, labels, "sum")] += max(seconds, 0.0)


def shows(family: Family, value: Callable[[], float]) -> None:
    """What this process says of itself with every sending; gauges of several processes are added up or compared."""
    _gauges[family.name] = value


def start() -> None:
    """Send from now on, in a thread. Once a process; a forked child starts its own."""
    global _started
    if _started == os.getpid():
        return
    _started = os.getpid()
    threading.Thread(target=_send_on, name="metrics", daemon=True).start()


def send() -> None:
    """Send what has been counted. What Redis does not take is sent the next time."""
    with _lock:
        counted = dict(_counts)
        _counts.clear()
    try:
        with event_feed.client().pipeline(transaction=False) as pipe:
            for (name, labels, part), amount in counted.items():
                pipe.hincrbyfloat(COUNTS, orjson.dumps([name, labels, part]), amount)
            if _gauges:
                values = {name: value() for name, value in _gauges.items()}
                pipe.hset(LIVE, str(os.getpid()) + _host(), orjson.dumps({"at": _redis_now(), "values": values}))
            pipe.execute()
    except (redis.RedisError, PerdureError) as error:
        log.debug("Metrics could not be sent; they are kept", error=str(error))
        with _lock:
            for key, amount in counted.items():
                _counts[key] += amount


def added_up() -> dict[tuple[str, Labels, str], float]:
    """All that all processes have counted: (metric, labels, part of a histogram) → amount."""
    found = {}
    for field, amount in event_feed.client().hgetall(COUNTS).items():
        name, labels, part = orjson.loads(field)
        found[(name, tuple(labels), part)] = float(amount)
    return found


def living() -> list[dict[str, float]]:
    """What each living process says of itself."""
    now, found = _redis_now(), []
    for process, said in event_feed.client().hgetall(LIVE).items():
        told = orjson.loads(said)
        if told["at"] < now - FORGOTTEN_AFTER:
            event_feed.client().hdel(LIVE, process)
        else:
            found.append({**told["values"], "age": now - told["at"]})
    return found


def stop() -> None:
    """The last sending of a process that ends in good order."""
    _stopped.set()
    send()


def _send_on() -> None:
    while not _stopped.wait(SEND_SECONDS):
        try:
            send()
        except Exception as error:  # noqa: BLE001 (the thread's edge: what is counted must not end the counting)
            log.warning("Metrics could not be sent", error=str(error))


def _host() -> str:
    return f"@{os.uname().nodename}"


def _redis_now() -> float:
    """By Redis's own clock, since those of two machines may differ."""
    seconds, microseconds = event_feed.client().time()
    return seconds + microseconds / 1e6
