"""The tool `time_difference`: how far apart two clocks are, and what a time in one place is in another."""

from datetime import datetime, timedelta
from typing import Any

from execution_worker.tools.current_time import shown_offset, unknown
from services import clock
from services.errors import Failed
from services.phrases import clock_times, places
from services.tools.contract import tool


@tool(
    effect="pure",
    timeout=10,
    capabilities=["time difference between two places", "a time of day in one place as the time in another"],
    examples=["How many hours is Tokyo ahead of Berlin?", "When it is 9:00 in Chicago, what time is it in Paris?"],
)
def time_difference(from_place: str, to_place: str, at: str = "") -> dict[str, Any]:
    """The difference between the clocks of two places, today; with `at` ("9:00", "6:45 pm", "noon"), what that time in
    `from_place` is in `to_place`.

    Returns `hours` (of to_place ahead of from_place), both offsets, with `at` also `time` and `day`, and `text`.
    """
    source, target = _place(from_place), _place(to_place)
    now = clock.now().astimezone(source.zone)
    there = now if not at else _on(now, at)
    here = there.astimezone(target.zone)
    hours = ((here.utcoffset() or timedelta()) - (there.utcoffset() or timedelta())) / timedelta(hours=1)
    result: dict[str, Any] = {
        "hours": int(hours) if hours == int(hours) else hours,
        "from": source.name,
        "to": target.name,
        "from_offset": shown_offset(there.strftime("%z")),
        "to_offset": shown_offset(here.strftime("%z")),
    }
    if not at:
        return {**result, "text": _apart(source.name, target.name, hours)}
    day = (here.date() - there.date()).days
    when = {-1: " the day before", 1: " the next day"}.get(day, "")
    text = f"When it is {there:%H:%M} in {source.name}, it is {here:%H:%M}{when} in {target.name}."
    return {**result, "time": f"{here:%H:%M}", "day": day, "text": text}


def _place(name: str) -> places.Place:
    found = places.find(name)
    if found is None:
        raise Failed(unknown(name))
    return found


def _on(now: datetime, at: str) -> datetime:
    """Today in `now`'s zone at the time of day that `at` says."""
    time = clock_times.parse(at)
    if time is None:
        raise Failed(f"“{at}” is no time of day; write it as 9:00, 18:45 or 6:45 pm.")
    return now.replace(hour=int(time[:2]), minute=int(time[3:]), second=0, microsecond=0)


def _apart(source: str, target: str, hours: float) -> str:
    if hours == 0:
        return f"{source} and {target} have the same time."
    whole, minutes = divmod(round(abs(hours) * 60), 60)
    span = f"{whole} hour{'s' if whole != 1 else ''}" if whole else ""
    span += (" and " if span and minutes else "") + (f"{minutes} minutes" if minutes else "")
    return f"{target} is {span} {'ahead of' if hours > 0 else 'behind'} {source}."
