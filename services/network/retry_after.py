"""What a Retry-After header asks for (RFC 9110 §10.2.3): seconds, or a date. Used by network tools and the brain."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from services import clock

LONGEST = 86_400.0


def seconds(headers: Mapping[str, str]) -> float | None:
    """How long to wait, in seconds, at most a day; None when the header is missing or makes no sense."""
    value = (headers.get("retry-after") or "").strip()
    if not value:
        return None
    try:
        wait = float(value)
    except ValueError:
        wait = _until(value)
    return min(max(wait, 0.0), LONGEST) if math.isfinite(wait) else None


def _until(date: str) -> float:
    try:
        return (parsedate_to_datetime(date) - clock.now()).total_seconds()
    except (ValueError, TypeError):
        return math.nan
