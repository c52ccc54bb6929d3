"""Leap years, and how many days a month or a year has."""

from planning_worker.offline import clauses
from planning_worker.offline.reading import Draft, Reading, Scene

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH_NAME = (
    r"(?P<month>january|february|march|april|may|june|july|august|september|october|november|december|"
    r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)"
)
_LEAP = clauses.wordings(
    [
        r"(?:is|was|will|isn't|wasn't)(?: the)?(?: year)? (?P<year>\d{4})(?: be| going to be)? (?:a "
        r")?leap(?: year)?(?: or not)?",
        r"(?:is|was|will)(?: it)? (?P<near>this|next|last) year(?: be| going to be)? (?:a )?leap year",
        r"(?:do we |does )?(?P<year>\d{4})(?: is| have)?,? (?:a )?leap year(?: or not| yes or no)?",
        r"how many days (?:are |were |will be )?(?:there |does |did |do )?(?:in )?(?:the month of |the "
        r"year )?(?P<month>february)(?: have| has)? (?:in )?(?:a )?(?P<leap>leap year)",
        rf"how many days (?:are |were |will be |is )?(?:there )?(?:in|does|do|did|will) (?:the month of |"
        rf"the month )?{_MONTH_NAME},?(?: (?:of|in))? ?(?P<year>\d{{4}})?(?: have| has)?(?: (?P<near>this|"
        rf"next|last) year)?",
        r"how many days (?:are |were |will be |is )?(?:there )?(?:in|does|do|did|will) (?:the year "
        r")?(?P<year>\d{4})(?: have| has)?",
        r"how many days (?:are |were |will be |is )?(?:there )?(?:in|does|do|did|will) (?:a "
        r")?(?P<leap>leap year)(?: have| has)?",
        r"how many days (?:are |were |will be |is )?(?:there )?(?:in|does|do|did|will) (?P<near>this|next|"
        r"last) year(?: have| has)?",
        rf"(?:the )?number of days in {_MONTH_NAME}(?:,?(?: of)? (?P<year>\d{{4}}))?",
        r"(?P<next>(?:when(?:'s| is| will be)?|what(?:'s| is| year is)?|which year is) (?:the )?next leap "
        r"year(?: be)?)",
    ]
)


def read(text: str, scene: Scene) -> Reading | None:
    """Whether a year is a leap year, and how many days a month or a year has."""
    phrase = clauses.bare(text)
    for found in filter(None, (pattern.fullmatch(phrase) for pattern in _LEAP)):
        part = found.groupdict()
        near = {"this": 0, "next": 1, "last": -1}.get((part.get("near") or "this").lower(), 0)
        arguments: dict[str, object] = {"year": int(part.get("year") or scene.today.year + near)}
        if part.get("leap"):
            arguments["year"] = 2028
        if part.get("month"):
            arguments["month"] = _MONTHS.index(part["month"][:3].lower()) + 1
        if part.get("next"):
            arguments["next_leap"] = True
        step = Draft(scene.step_id(), "calendar_facts", arguments, phrase)
        return Reading("dates", (step,), value=f"${{{step.id}.value}}")
    return None
