"""Reports: what processes say of their own troubles, kept in Redis since the trouble may be Postgres itself.

Written by the heartbeat of the troubled process, read by `why` and the doctor. Lost reports are told again at the next
beat, and a report that is not repeated is forgotten.
"""

from dataclasses import dataclass

import orjson
import redis

from services.journal import event_feed

_KEY = "perdure:troubles"
_FORGOTTEN_AFTER = 12.0  # seconds; a few beats


@dataclass(frozen=True)
class Report:
    """What keeps a worker from its work. part: postgres or model."""

    worker: str
    part: str
    sentence: str

    @property
    def kind(self) -> str:
        """The kind of worker that says so."""
        return self.worker.split("@")[0]


def tell(worker: str, found: dict[str, str]) -> None:
    """This worker has these troubles (a sentence by part), or none. Says nothing when Redis is away."""
    try:
        if not found:
            event_feed.client().hdel(_KEY, worker)
            return
        event_feed.client().hset(_KEY, worker, orjson.dumps({"at": _now(), "found": found}))
    except redis.RedisError:
        return  # then that is the trouble, and everybody sees it


def heard() -> list[Report]:
    """The troubles of all workers that are troubled now; none when Redis is away."""
    try:
        now, told = _now(), event_feed.client().hgetall(_KEY)
        for worker in [worker for worker, said in told.items() if orjson.loads(said)["at"] < now - _FORGOTTEN_AFTER]:
            event_feed.client().hdel(_KEY, worker)
            del told[worker]
    except redis.RedisError:
        return []
    return [
        Report(_text(worker), part, sentence)
        for worker, said in told.items()
        for part, sentence in orjson.loads(said)["found"].items()
    ]


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode()


def _now() -> float:
    """By Redis's own clock, since those of two machines may differ."""
    seconds, microseconds = event_feed.client().time()
    return seconds + microseconds / 1e6
