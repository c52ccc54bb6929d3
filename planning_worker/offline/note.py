"""The plan's note: what is answered without a tool, and a plain refusal of what the offline brain can't do."""

from collections.abc import Sequence

from planning_worker.offline import clauses
from planning_worker.offline.reading import Reading

HOW_TO_GET_A_MODEL = "With a language model it could: set OPENAI_API_KEY or OPENAI_BASE_URL."


def of(readings: Sequence[Reading | None], texts: Sequence[str]) -> str | None:
    """One note for the whole request, or None when the steps say it all."""
    said = [reading.said for reading in readings if reading and reading.said and reading.skill != "courtesy"]
    courtesies = [reading.said for reading in readings if reading and reading.said and reading.skill == "courtesy"]
    declined = [
        (text, reading.declined if reading else None)
        for reading, text in zip(readings, texts, strict=True)
        if reading is None or reading.declined
    ]
    done = any(reading and (reading.steps or reading.said) and reading.skill != "courtesy" for reading in readings)
    parts = list(dict.fromkeys(said))
    if courtesies and len(courtesies) == len(readings):
        parts.append(courtesies[0])
    if declined:
        parts.append(_refusal(declined, done))
    if not parts and not any(reading and reading.steps for reading in readings):
        parts.append("There is nothing to do in this request: ask a question or say what should be done.")
    return " ".join(parts)[:4000] or None


def _refusal(declined: list[tuple[str, str | None]], partly: bool) -> str:
    named = [f"“{_short(text)}”" for text, _ in declined]
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    reasons = " ".join(dict.fromkeys(reason for _, reason in declined if reason))
    lead = "I can't do this part offline" if partly else "I can't do this offline"
    return " ".join(part for part in [f"{lead}: {listed}.", reasons, HOW_TO_GET_A_MODEL] if part)


def _short(text: str) -> str:
    plain = " ".join((clauses.bare(text) or text).split())
    return plain if len(plain) <= 160 else f"{plain[:157]}…"
