"""How long it is from one time of day to another: answered without a step."""

import re

from planning_worker.offline import clauses
from planning_worker.offline.reading import Reading, Scene
from services.phrases import clock_times

_SPAN = re.compile(
    r"(?:how (?:long|many hours|many minutes|much time)(?: is| are)?(?: it| there)?|(?:the )?(?:hours|minutes|time))"
    r" (?:between|from) (?P<start>.+?) (?:and|to|until|till|-) (?P<end>.+)",
    re.IGNORECASE,
)
_DAY = 24 * 60


def read(text: str, scene: Scene) -> Reading | None:
    """The span between two times of day, over midnight when the second comes first."""
    found = _SPAN.fullmatch(clauses.bare(text))
    start = clock_times.parse(found["start"]) if found else None
    end = clock_times.parse(found["end"]) if found else None
    if not found or not start or not end or not re.search(r"[a-z:]", found["start"] + found["end"], re.IGNORECASE):
        return None
    minutes = (_minutes(end) - _minutes(start)) % _DAY
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} hour{'' if hours == 1 else 's'}"] * bool(hours) + [f"{rest} minutes"] * bool(rest or not hours)
    total = f" ({minutes} minutes)" if hours and rest else ""
    return Reading("durations", said=f"From {start} to {end} it is {' and '.join(parts)}{total}.", value=str(minutes))


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])
