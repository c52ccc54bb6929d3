"""The skills of the offline planner, one file each, in the order in which they are asked.

A new skill is a new file with `read(text, scene) -> Reading | None` and a line here: the module and the longest clause,
in characters, that it is shown.
"""

from types import ModuleType

from planning_worker.offline.skills import (
    arithmetic,
    bills,
    by_example,
    controls,
    conversions,
    courtesy,
    dates,
    delegating,
    durations,
    elsewhere,
    in_context,
    leap_years,
    loosely,
    pages,
    recall,
    remembering,
    telling,
    texts,
    times,
)

_ANY = 100_000

SKILLS: tuple[tuple[ModuleType, int], ...] = (
    (courtesy, 120),
    (delegating, 4000),
    (remembering, 4000),
    (texts, _ANY),
    (controls, 2000),
    (durations, 200),
    (elsewhere, 300),
    (times, 300),
    (leap_years, 200),
    (dates, 300),
    (conversions, 300),
    (arithmetic, 500),
    (bills, 300),
    (loosely, 200),
    (in_context, 300),
    (by_example, 500),
    (recall, 400),
    (pages, 1000),
    (telling, 1000),
)
