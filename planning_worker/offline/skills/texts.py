"""Summarising text that is given in the request itself: "Summarise this in two sentences: …"."""

import re

from planning_worker.offline import clauses
from planning_worker.offline.reading import Draft, Reading, Scene
from services.phrases import numbers

_SUMMARISE = re.compile(
    r"(?:summari[sz]e|sum up|shorten|give a summary of|a summary of|condense)(?: (?:this|the following|these))?"
    r"(?: (?:text|passage|paragraph|article|note|notes|message))?(?: (?:in|to) (?P<count>\w+) sentences?)?"
    r"(?: for me)?(?P<mark>\s*[:\n]\s*|\s+(?=[“\"']))(?P<text>.+)",
    re.IGNORECASE | re.DOTALL,
)


def read(text: str, scene: Scene) -> Reading | None:
    """A request to summarise text that it holds itself."""
    found = _SUMMARISE.fullmatch(clauses.bare(text))
    if not found or clauses.urls(found["text"]) or len(found["text"].split()) < 4:
        return None
    arguments: dict[str, object] = {"text": found["text"].strip().strip("“”\"'")}
    arguments |= sentence_count(found["count"])
    step = Draft(scene.step_id(), "summarize", arguments, "summary of the given text")
    return Reading("texts", (step,), topic={"text": arguments["text"]})


def sentence_count(word: str | None) -> dict[str, object]:
    """The `sentences` argument for "two" or "2"; nothing for None or another word."""
    if not word:
        return {}
    if word.lower() in {"a", "one", "single"}:
        return {"sentences": 1}
    digits = numbers.to_digits(word)
    return {"sentences": max(1, min(int(digits), 20))} if digits.isdigit() else {}
