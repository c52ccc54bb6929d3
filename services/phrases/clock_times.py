"""Times of day in everyday words: "3pm", "half past nine in the morning", "quarter to 6", "18.30", "noon"."""

import re

from services.phrases import numbers

_HALF = r"in the (?:early |late )?(?:morning|afternoon|evening)|at night|tonight|this (?:morning|afternoon|evening)"
_NAMED = {"noon": 12 * 60, "midday": 12 * 60, "midnight": 0}
_TIME = re.compile(
    r"(?P<named>(?:12 )?noon|(?:12 )?midday|(?:12 )?midnight)(?![\w])|"
    r"(?P<military>(?:[01]\d|2[0-3])[0-5]\d)(?= ?(?:hours|hrs|h\b)| ?z\b)(?: ?(?:hours|hrs|h\b))?|"
    r"(?:(?P<part>a quarter|quarter|half|\d{1,2})(?: minutes?)? ?(?P<side>past|after|to|before|till)? )?"
    r"(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2})(?::\d{2})?(?!\d)| (?:and )?(?P<spoken>[0-5]\d)(?= "
    r"?(?:[ap]\.?m\b|in the)|\b))?"
    rf"(?P<clock> ?o'?clock)?(?: ?(?P<noon>[ap])(?:\.m\.|\.m\b|m\b))?(?: (?P<of_day>{_HALF}))?",
    re.IGNORECASE,
)


def parse(text: str) -> str | None:
    """The time of day that `text` is, as HH:MM; a bare number counts as an hour. None when it is none."""
    found = _TIME.fullmatch(numbers.to_digits(text.strip().replace("’", "'")).strip(" .,"))
    return _clock(found) if found else None


def search(text: str) -> tuple[int, int, str] | None:
    """Where in `text` (numbers already digits) a time of day stands, and the time as HH:MM. A bare number is none."""
    for found in _TIME.finditer(text):
        before = text[: found.start()][-1:]
        marked = any(found[name] for name in ("named", "military", "minute", "clock", "noon", "of_day", "side"))
        if marked and not re.match(r"[\w+.:/-]", before) and (time := _clock(found)):
            return found.start(), found.end(), time
    return None


def _clock(found: re.Match[str]) -> str | None:
    if found["named"]:
        return _shown(_NAMED[found["named"].lower().removeprefix("12 ")])
    if found["military"]:
        return f"{found['military'][:2]}:{found['military'][2:]}"
    hour, minute = int(found["hour"]), int(found["minute"] or found["spoken"] or 0)
    half = (found["noon"] or "").lower()
    of_day = (found["of_day"] or "").lower()
    if not half and of_day and hour <= 12:
        late = "afternoon" in of_day or "evening" in of_day or (("night" in of_day) and 5 <= hour < 12)
        half = "p" if late else "a"
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    part = (found["part"] or "").lower()
    if hour > 23 or minute > 59 or (part and minute) or (part and part != "half" and not found["side"]):
        return None
    if not part:
        return _shown(hour * 60 + minute)
    amount = {"half": 30, "quarter": 15, "a quarter": 15}.get(part) or int(part)
    back = (found["side"] or "past").lower() in {"to", "before", "till"}
    return _shown(hour * 60 + (-amount if back else amount)) if amount < 60 else None


def _shown(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"
