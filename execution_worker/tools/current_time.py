"""The tool `current_time`: what the clock on the wall says in a place."""

from typing import Any

from services import clock
from services.errors import Failed
from services.phrases import dates, places
from services.tools.contract import tool


@tool(
    effect="pure",
    timeout=10,
    capabilities=["current time in a city, country or time zone"],
    examples=["What time is it in Tokyo?", "time in Asia/Kolkata", "current UTC time"],
)
def current_time(place: str = "UTC") -> dict[str, Any]:
    """The time now in a city, country, US state, IANA time zone or abbreviation ("Paris, Texas", "EST", "UTC+2").

    Returns `time` (HH:MM), `date` and `iso`, the `zone`, its `utc_offset`, and `text`.
    """
    found = places.find(place)
    if found is None:
        raise Failed(unknown(place))
    now = clock.now().astimezone(found.zone)
    offset = shown_offset(now.strftime("%z"))
    where = f"in {found.name} ({offset})" if found.name != "UTC" else "UTC"
    return {
        "time": f"{now:%H:%M}",
        "date": now.date().isoformat(),
        "weekday": f"{now:%A}",
        "iso": now.isoformat(timespec="seconds"),
        "place": found.name,
        "zone": found.zone_name,
        "utc_offset": offset,
        "text": f"It is {now:%H:%M} on {dates.shown(now.date())} {where}.",
    }


def unknown(place: str) -> str:
    """The sentence for a place that nobody knows."""
    return f"No time zone is known for “{place}”; name a larger city, a country or a zone such as Europe/Paris."


def shown_offset(offset: str) -> str:
    """`+0900` as UTC+9, `+0530` as UTC+5:30."""
    hours, minutes = int(offset[1:3]), offset[3:5]
    return f"UTC{offset[0]}{hours}" + (f":{minutes}" if minutes != "00" else "")
