"""The tool `search_memory`: finds what this user said or learned before."""

from typing import Annotated, Any

from pydantic import Field

from services import clock
from services.memory import recall, retrieval
from services.tools.contract import ToolContext, tool


@tool(
    effect="pure",
    timeout=20,
    capabilities=["recall what the user said, stored or learned before"],
    examples=["What did I say about my dog?", "What do you remember about Lisbon?", "Do you know my shoe size?"],
)
def search_memory(
    context: ToolContext,
    query: Annotated[str, Field(min_length=1, max_length=2_000)],
    k: Annotated[int, Field(ge=1, le=50)] = 5,
) -> dict[str, Any]:
    """Search this user's long-term memory for `query`; gives at most `k` memories that fit, best first.

    Returns `items` (id, text, score, similarity, kind, trust, at) and `text`, one memory a line. None is no error.
    """
    found = retrieval.search(context.tenant, context.user_id, query, k=max(4 * k, 20), inside=context.conversation_id)
    items = [
        {
            "id": str(memory.id),
            "text": memory.text,
            "score": round(memory.score, 4),
            "similarity": None if memory.similarity is None else round(memory.similarity, 4),
            "kind": memory.kind,
            "trust": memory.memory.trust,
            "at": clock.to_wire(memory.at),
        }
        for memory in found.items
        if recall.fits(memory)
    ][:k]
    lines = [str(item["text"]) for item in items] or [f"I remember nothing about “{query}”."]
    return {"items": items, "text": "\n".join(lines)}
