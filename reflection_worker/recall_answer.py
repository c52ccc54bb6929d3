"""What recalled memories say to a question: those that share its words, or plainly nothing."""

from typing import Any

from services.journal.finished_steps import FinishedStep
from services.phrases import words

MOST = 3
MOST_OF_ALL = 10
NEAR_BEST = 0.6
NEAR_IN_MEANING = 0.38  # as services/memory/recall.py, where it was chosen


def of(step: FinishedStep) -> str:
    """The fitting memories, turned into an answer; by shared words, else by meaning alone."""
    query = str(step.arguments.get("query", ""))
    found = step.output.get("items") if isinstance(step.output, dict) else None
    items = [item for item in found or [] if isinstance(item, dict) and str(item.get("text") or "").strip()]
    chosen = _chosen(query, step.why or query, items)
    if not chosen:
        return f"I have nothing on that: no memory about {_subject(query)}."
    lead = "You told me" if _covers(query, chosen[0]) else "The nearest to that which you told me"
    if len(chosen) == 1:
        return f"{lead}: {chosen[0]}"
    return f"{lead}:\n" + "\n".join(f"- {text}" for text in chosen)


def _covers(query: str, text: str) -> bool:
    """Does the memory hold more than half of what is asked about? Else it may be about something else."""
    wanted = words.content(query)
    return 2 * len(wanted & words.content(text)) > len(wanted) or len(wanted) == 0


def _chosen(query: str, question: str, items: list[dict[str, Any]]) -> list[str]:
    wanted = words.content(query)
    if not wanted:  # "what have I asked you to remember?": all of it
        return [str(item["text"]).strip() for item in items if item.get("kind") not in {"episode", "message"}][
            :MOST_OF_ALL
        ]
    asked = words.fold(question)
    candidates = [item for item in items if not _is_question(str(item["text"]), asked)]
    facts = [item for item in candidates if item.get("kind") not in {"episode", "message"}]
    for group in (facts, candidates):
        shared = [(len(wanted & words.content(str(item["text"]))), str(item["text"]).strip()) for item in group]
        best = max((count for count, _ in shared), default=0)
        if best:
            ranked = sorted((pair for pair in shared if pair[0] >= NEAR_BEST * best), key=lambda pair: -pair[0])
            return list(dict.fromkeys(text for _, text in ranked))[:MOST]
    # Nothing shares a word: what retrieval found by its meaning alone, if it is near.
    near = [item for item in candidates if float(item.get("similarity") or 0) >= NEAR_IN_MEANING]
    nearest = max((float(item["similarity"]) for item in near), default=0.0)
    return [str(item["text"]).strip() for item in near if float(item["similarity"]) >= nearest - 0.05][:1]


def _is_question(text: str, asked: str) -> bool:
    """A stored question, most likely this very one, answers nothing."""
    folded = words.fold(text)
    return folded.endswith("?") or (len(asked) > 12 and asked.rstrip("?. ") in folded)


def _subject(query: str) -> str:
    subject = query.strip(" ?.")
    return f"“{subject}”"
