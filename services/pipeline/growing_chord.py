"""A chord that grows: members added while it runs, each counted once however often the adding is repeated.

Celery's own `add_to_chord` counts a member twice when its adder is redelivered, and hangs when the adder dies between
counting and publishing. Here the member's deterministic task id is the key of a set, so adding is idempotent.
"""

from typing import cast

from celery import Celery
from celery.backends.redis import RedisBackend

# KEYS: members already added, Celery's count of added members (.t), Celery's claim or done mark (.c).
# ARGV: task id, seconds to keep the keys. Returns 1 added, 0 added before, -1 the chord is done.
_ADD_ONCE = """
if redis.call('GET', KEYS[3]) == 'done' then return -1 end
if redis.call('SADD', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
"""


def open(app: Celery, chord_id: str) -> None:
    """Open the chord with one member, the task that calls this. Celery fires the body when all have returned."""
    app.backend.set_chord_size(chord_id, 1)


def add_member(app: Celery, chord_id: str, task_id: str) -> int:
    """Count one more member in. Returns 1 when added, 0 when it was a member already, -1 when the chord is done."""
    backend = cast(RedisBackend, app.backend)
    keys = [backend.get_key_for_group(chord_id, suffix) for suffix in (".a", ".t", ".c")]
    return int(backend.client.eval(_ADD_ONCE, len(keys), *keys, task_id, app.conf.result_chord_expires))
