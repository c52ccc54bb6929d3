"""Lessons: what of a finished run is worth keeping. Called by remembrance; never stores recalled text again."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from services import logs
from services.errors import Unavailable
from services.journal.steps import Step, StepStatus
from services.memory import care, facts, gate, learning, memories, provenance, recall, vectors
from services.memory.provenance import Outside

EPISODES = UUID("3f6f0b7a-5d0e-5f6b-8a43-1b8f4f0d9c21")  # the namespace of episodes' ids, made once
MAX_REQUEST = 1_000  # characters
MAX_ANSWER = 1_500
# Tools that teach nothing: what memory holds already, what only passes through, what is true for a minute.
_EMPTY_TOOLS = {"search_memory", "remember", "noop", "sleep", "echo", "current_time"}
_ABOUT_ONESELF = re.compile(r"\b(I|(?i:my|mine|we|our))\b")
_ASKED = "Asked: "
_NOTED = "Noted: "  # how the offline brain acknowledges what people tell in passing
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"\w+")

_log = logs.get(__name__)


def remember_run(run: dict[str, Any], steps: Sequence[Step]) -> list[UUID]:
    """Store what the run is worth, once however often it is called; returns the ids, none if it is trivial.

    What people told becomes facts, all else an episode; what a page planted goes to quarantine. run: a claimed run (id,
    tenant, user_id, conversation_id, request, answer, error, brain). steps: all as they ended.
    """
    episode_id = uuid5(EPISODES, str(run["id"]))
    sources = provenance.outside(steps)
    _quarantine_plants(run, sources, episode_id)
    if memories.is_stored(run["tenant"], episode_id):
        stored = [episode_id]
    else:
        recalled = _recalled(run, steps)
        text = episode(run, steps, sources, recalled=recalled)
        if text is None:
            return []
        stored = _stored(run, steps, sources, episode_id, text)
    try:
        vectors.embed(stored)
    except Unavailable as error:
        _log.warning("What a run taught is found by its words alone for now", reason=error.detail)
    return stored


def _stored(
    run: dict[str, Any], steps: Sequence[Step], sources: Sequence[Outside], episode_id: UUID, text: str
) -> list[UUID]:
    """Facts out of what was told; the episode too, unless the request only told them: then it would outlive them."""
    if not text.startswith(_ASKED):
        return _learn(run, episode_id, text)
    sentences = [part for part in _SENTENCE.split(run["request"]) if part.strip()]
    plain = [part for part in sentences if facts.about(part) and not part.rstrip().endswith("?")]
    learned = _learn(run, episode_id, "\n".join(plain)) if plain else []
    if learned and len(plain) == len(sentences) and not steps:
        return learned
    return learned + _store(run, steps, sources, episode_id, text)


def told(tenant: str, stored: Sequence[UUID]) -> list[dict[str, Any]]:
    """What memory.stored says of these memories: one payload {ids, kind} a kind."""
    by_kind: dict[str, list[str]] = {}
    for memory_id in stored:
        by_kind.setdefault(memories.get(tenant, memory_id).kind, []).append(str(memory_id))
    return [{"ids": ids, "kind": kind} for kind, ids in by_kind.items()]


def _learn(run: dict[str, Any], source: UUID, told: str) -> list[UUID]:
    """What people told, as facts: what is known is not kept twice, and what it contradicts holds no longer."""
    new = memories.NewMemory(
        run["user_id"],
        told,
        id=source,
        conversation_id=run["conversation_id"],
        source_run=UUID(str(run["id"])),
    )
    learned = learning.learn(run["tenant"], new)
    return learned.stored + [known for known in learned.repeated if known not in learned.stored]


def _store(
    run: dict[str, Any], steps: Sequence[Step], sources: Sequence[Outside], episode_id: UUID, text: str
) -> list[UUID]:
    """Store an episode; an earlier episode of the same request is no longer found."""
    asked = " ".join(_WORD.findall(run["request"].lower()))[:MAX_REQUEST]
    memories.add(
        run["tenant"],
        run["user_id"],
        text,
        kind="episode",
        id=episode_id,
        conversation_id=run["conversation_id"],
        source_run=UUID(str(run["id"])),
        source_url=next((source.url for source in sources if source.url), None),
        trust="outside" if sources else "agent",
        from_outside="",
        metadata={"tools": sorted({step.tool for step in steps}), "request_key": asked},
    )
    care.end_episodes(run["tenant"], run["user_id"], by=episode_id, request_key=asked)
    return [episode_id]


def _quarantine_plants(run: dict[str, Any], sources: Sequence[Outside], episode_id: UUID) -> None:
    """What a page told its reader to keep or do is kept for a person to see, with its source, and for nobody else."""
    for source in sources:
        planted = gate.planted(source.text)
        if planted:
            memories.add(
                run["tenant"],
                run["user_id"],
                planted,
                id=uuid5(episode_id, source.step_id),
                conversation_id=run["conversation_id"],
                source_run=UUID(str(run["id"])),
                source_step=source.step_id,
                source_url=source.url,
                trust="outside",
            )


def episode(
    run: dict[str, Any], steps: Sequence[Step], sources: Sequence[Outside], *, recalled: Sequence[str]
) -> str | None:
    """The text to keep of a run, or None when there is nothing to learn from it.

    sources: what its steps read from outside. recalled: texts that were recalled for this run; sentences that repeat
    them are left out.
    """
    request, answer = (run.get("request") or "").strip(), (run.get("answer") or "").strip()
    if not request or not answer or run.get("error") or gate.is_chatter(request):
        return None
    if not steps:
        return _of_talk(request, answer, offline=run.get("brain") == "offline", recalled=recalled)
    done = {step.tool for step in steps if step.status == StepStatus.SUCCEEDED}
    if not done - _EMPTY_TOOLS:
        return _told(request, answer, recalled) if run.get("brain") == "offline" and _NOTED in answer else None
    answer = _without(answer, recalled)
    return _asked(request, _plain(answer) if sources else answer)


def _of_talk(request: str, answer: str, *, offline: bool, recalled: Sequence[str]) -> str | None:
    """A run without steps: the offline brain's answer teaches nothing, but what people tell of themselves does."""
    if gate.repeats(request, recalled):
        return None
    if not offline:
        return _asked(request, _without(answer, recalled))
    return _told(request, answer, recalled)


def _told(request: str, answer: str, recalled: Sequence[str]) -> str | None:
    """The sentences in which people tell of themselves, or all statements when the offline brain took note of them."""
    noted = _NOTED in answer
    parts = [part for part in _SENTENCE.split(request) if not part.endswith("?") and not gate.repeats(part, recalled)]
    told = [part for part in parts if _ABOUT_ONESELF.search(part) or (noted and not gate.is_chatter(part))]
    return " ".join(told)[:MAX_REQUEST] or None


def _asked(request: str, answer: str) -> str | None:
    return f"{_ASKED}{request[:MAX_REQUEST]}\nAnswer: {answer[:MAX_ANSWER]}" if answer else None


def _plain(answer: str) -> str:
    """An answer made of text from outside, without the sentences that read like instructions."""
    return "\n".join(part for part in _SENTENCE.split(answer) if part.strip() and not gate.suspicion(part))


def _recalled(run: dict[str, Any], steps: Sequence[Step]) -> list[str]:
    """What memory said during the run: in its steps, and in the prompts, which had what fits the request."""
    texts = [
        item["text"]
        for step in steps
        if step.tool == "search_memory" and isinstance(step.output, dict)
        for item in step.output.get("items", [])
    ]
    if run.get("request"):
        found = recall.fitting(run["tenant"], run["user_id"], run["request"], limit=10)
        texts += [item.text for item in found]
    return texts


def _without(answer: str, recalled: Sequence[str]) -> str:
    return "\n".join(part for part in _SENTENCE.split(answer) if part.strip() and not gate.repeats(part, recalled))
