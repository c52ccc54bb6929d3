"""Lessons: what of a finished run is worth keeping. Called by remembrance; never stores recalled text again."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from services import logs
from services.errors import Unavailable
from services.journal.steps import Step, StepStatus
from services.memory import memories, recall

EPISODES = UUID("3f6f0b7a-5d0e-5f6b-8a43-1b8f4f0d9c21")  # the namespace of episodes' ids, made once
MAX_REQUEST = 1_000  # characters
MAX_ANSWER = 1_500
# Tools that teach nothing: what memory holds already, what only passes through, what is true for a minute.
_EMPTY_TOOLS = {"search_memory", "remember", "noop", "sleep", "echo", "current_time"}
_CHATTER = re.compile(
    r"\b(hi|hello|hey|good (morning|afternoon|evening|night)|thanks|thank you|cheers|ok(ay)?|yes|no|bye|goodbye|please"
    r"|how are you( doing)?|nice to meet you|there|again|very much|so much|great|cool)\b",
    re.IGNORECASE,
)
_ABOUT_ONESELF = re.compile(r"\b(I|(?i:my|mine|we|our))\b")
_ASKED = "Asked: "
_NOTED = "Noted: "  # how the offline brain acknowledges what people tell in passing
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"\w+")

_log = logs.get(__name__)


def remember_run(run: dict[str, Any], steps: Sequence[Step]) -> list[UUID]:
    """Store the run as an episode, once however often it is called; returns the ids of what is stored, none if trivial.

    run: a claimed run (id, tenant, user_id, conversation_id, request, answer, error, brain). steps: all as they ended.
    """
    stored = uuid5(EPISODES, str(run["id"]))
    if not memories.is_stored(run["tenant"], stored):
        text = episode(run, steps, recalled=_recalled(run, steps))
        if text is None:
            return []
        _store(run, steps, stored, text)
    try:
        memories.embed([stored])
    except Unavailable as error:
        _log.warning("An episode is found by its words alone for now", reason=error.detail)
    return [stored]


def _store(run: dict[str, Any], steps: Sequence[Step], episode_id: UUID, text: str) -> None:
    """Store an episode, or as a fact what people told; an earlier episode of the same request is no longer found."""
    kind = "episode" if text.startswith(_ASKED) else "fact"
    asked = " ".join(_WORD.findall(run["request"].lower()))[:MAX_REQUEST]
    memories.add(
        run["tenant"],
        run["user_id"],
        text,
        kind=kind,
        id=episode_id,
        conversation_id=run["conversation_id"],
        source_run=UUID(str(run["id"])),
        metadata={"tools": sorted({step.tool for step in steps}), "request_key": asked},
    )
    memories.supersede(run["tenant"], run["user_id"], by=episode_id, request_key=asked)


def episode(run: dict[str, Any], steps: Sequence[Step], *, recalled: Sequence[str]) -> str | None:
    """The text to keep of a run, or None when there is nothing to learn from it.

    recalled: texts that were recalled for this run; sentences that repeat them are left out.
    """
    request, answer = (run.get("request") or "").strip(), (run.get("answer") or "").strip()
    if not request or not answer or run.get("error") or _is_chatter(request):
        return None
    if not steps:
        return _of_talk(request, answer, offline=run.get("brain") == "offline", recalled=recalled)
    done = {step.tool for step in steps if step.status == StepStatus.SUCCEEDED}
    if not done - _EMPTY_TOOLS:
        return _told(request, answer, recalled) if run.get("brain") == "offline" and _NOTED in answer else None
    return _asked(request, _without(answer, recalled))


def _of_talk(request: str, answer: str, *, offline: bool, recalled: Sequence[str]) -> str | None:
    """A run without steps: the offline brain's answer teaches nothing, but what people tell of themselves does."""
    if _repeats(request, recalled):
        return None
    if not offline:
        return _asked(request, _without(answer, recalled))
    return _told(request, answer, recalled)


def _told(request: str, answer: str, recalled: Sequence[str]) -> str | None:
    """The sentences in which people tell of themselves, or all statements when the offline brain took note of them."""
    noted = _NOTED in answer
    parts = [part for part in _SENTENCE.split(request) if not part.endswith("?") and not _repeats(part, recalled)]
    told = [part for part in parts if _ABOUT_ONESELF.search(part) or (noted and not _is_chatter(part))]
    return " ".join(told)[:MAX_REQUEST] or None


def _asked(request: str, answer: str) -> str | None:
    return f"{_ASKED}{request[:MAX_REQUEST]}\nAnswer: {answer[:MAX_ANSWER]}" if answer else None


def _recalled(run: dict[str, Any], steps: Sequence[Step]) -> list[str]:
    """What memory said during the run: in its steps, and in the prompts, which had what fits the request."""
    texts = [
        item["text"]
        for step in steps
        if step.tool == "search_memory" and isinstance(step.output, dict)
        for item in step.output.get("items", [])
    ]
    if run.get("request"):
        texts += recall.recall(run["tenant"], run["user_id"], run["request"], limit=10)
    return texts


def _is_chatter(text: str) -> bool:
    """Greetings and thanks: nothing is left when their words are taken away."""
    return not _WORD.search(_CHATTER.sub(" ", text))


def _without(answer: str, recalled: Sequence[str]) -> str:
    return "\n".join(part for part in _SENTENCE.split(answer) if part.strip() and not _repeats(part, recalled))


def _repeats(sentence: str, recalled: Sequence[str]) -> bool:
    """Whether the sentence holds a recalled text, or a recalled text holds the sentence, letter case aside."""
    words = f" {' '.join(_WORD.findall(sentence.lower()))} "
    others = [f" {' '.join(_WORD.findall(text.lower()))} " for text in recalled]
    return any(words in other or (other.strip() and other in words) for other in others)
