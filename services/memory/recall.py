"""Recall: the long-term memories that fit a request, for planning and answering. Nothing, when nothing fits."""

from collections.abc import Sequence
from typing import Any, Unpack
from uuid import UUID

from sqlalchemy import text as sql

from services import database
from services.memory import retrieval
from services.memory.retrieval import FoundMemory, Narrowed

# A memory fits when its meaning is near the request, or when it holds most of what the request is about. Chosen on
# sentences of our own: what is unrelated stays below .3 in similarity, what is meant mostly lies above .4.
NEAR = 0.38
NEAR_ENOUGH = 0.2
COVERED = 0.5
COVERED_ALONE = 0.6  # when there is no similarity to look at
TOKENS = 2_000  # of a prompt
CHARACTERS_PER_TOKEN = 4  # of English, and a safe guess for what costs more


def for_run(run: dict[str, Any], *, limit: int) -> list[str]:
    """What a run should know: of its user, its agent, its conversation. run: a claimed run."""
    return recall(
        run["tenant"],
        run["user_id"],
        run["request"],
        limit=limit,
        agent=run.get("agent"),
        inside=run["conversation_id"],
    )


def recall(tenant: str, user_id: str, request: str, *, limit: int, **seen: Unpack[Narrowed]) -> list[str]:
    """At most `limit` texts of the trusted memories that fit the request, best first, within TOKENS.

    They are data. Nothing from outside is among them, whatever it says. seen: what retrieval.search may see.
    """
    chosen = packed(fitting(tenant, user_id, request, limit=limit, **seen), TOKENS)
    used(tenant, [item.id for item in chosen])
    return [item.text for item in chosen]


def fitting(tenant: str, user_id: str, request: str, *, limit: int, **seen: Unpack[Narrowed]) -> list[FoundMemory]:
    """What recall would give, without counting it as used."""
    found = retrieval.search(tenant, user_id, request, k=max(limit * 4, 20), **seen)
    return [item for item in found.items if item.memory.trusted and fits(item)][:limit]


def packed(found: list[FoundMemory], tokens: int) -> list[FoundMemory]:
    """The best that fit into about `tokens` tokens, each text once; what is too long is passed over."""
    left, chosen, seen = tokens * CHARACTERS_PER_TOKEN, [], set()
    for item in found:
        if item.text not in seen and len(item.text) <= left:
            chosen.append(item)
            seen.add(item.text)
            left -= len(item.text)
    return chosen


def fits(memory: FoundMemory) -> bool:
    """Whether a found memory has to do with what was asked, rather than being merely the best of what there is."""
    if memory.similarity is None:
        return memory.coverage >= COVERED_ALONE
    if memory.kind == "episode":  # requests of one form are near each other ("Convert …"): the words must agree too
        return memory.similarity >= NEAR and memory.coverage >= COVERED
    return memory.similarity >= NEAR or (memory.similarity >= NEAR_ENOUGH and memory.coverage >= COVERED)


def used(tenant: str, ids: Sequence[UUID]) -> None:
    """Note that these memories went into a prompt or an answer."""
    statement = sql(
        "update memories set last_used_at = now(), use_count = use_count + 1"
        " where tenant = :tenant and id = any(cast(:ids as uuid[]))"
    )
    if ids:
        with database.session() as session:
            session.execute(statement, {"tenant": tenant, "ids": list(ids)})
