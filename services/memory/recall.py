"""Recall: the long-term memories that fit a request, for planning and answering. Nothing, when nothing fits."""

from services.memory import retrieval
from services.memory.retrieval import FoundMemory

# A memory fits when its meaning is near the request, or when it holds most of what the request is about. Chosen on
# sentences of our own: what is unrelated stays below .3 in similarity, what is meant mostly lies above .4.
NEAR = 0.38
NEAR_ENOUGH = 0.2
COVERED = 0.5
COVERED_ALONE = 0.6  # when there is no similarity to look at


def recall(tenant: str, user_id: str, request: str, *, limit: int) -> list[str]:
    """At most `limit` texts of this user's trusted memories that fit the request, best first. They are data."""
    found = retrieval.search(tenant, user_id, request, k=max(limit * 4, 20))
    texts = [memory.text for memory in found.items if memory.source["trusted"] and fits(memory)]
    return list(dict.fromkeys(texts))[:limit]


def fits(memory: FoundMemory) -> bool:
    """Whether a found memory has to do with what was asked, rather than being merely the best of what there is."""
    if memory.similarity is None:
        return memory.coverage >= COVERED_ALONE
    if memory.kind == "episode":  # requests of one form are near each other ("Convert …"): the words must agree too
        return memory.similarity >= NEAR and memory.coverage >= COVERED
    return memory.similarity >= NEAR or (memory.similarity >= NEAR_ENOUGH and memory.coverage >= COVERED)
