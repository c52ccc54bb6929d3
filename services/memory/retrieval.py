"""Finding memories again: words and meaning fused, neighbours in a talk lending each other score (search.sql).

The recipe and what it was measured at: docs/decisions.md. Exact over one owner's memories.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text as sql

from services import database, logs
from services.errors import Unavailable
from services.memory import embedders
from services.memory.embedding import Embedded

MAX_RESULTS = 200
MAX_QUERY = 2_000  # characters that are looked at; the rest of a longer query is ignored

_SEARCH = sql((Path(__file__).parent / "search.sql").read_text())
_WORD = re.compile(r"[^\W_]+")
_log = logs.get(__name__)


@dataclass(frozen=True)
class FoundMemory:
    """A memory with how well it fits. score orders one result list and means nothing across lists.

    similarity: cosine of query and memory, None if the memory has no vector yet or the query got none.
    coverage: share of the query's words found in it, rare words weighing more, 0 to 1.
    """

    id: UUID
    text: str
    score: float
    kind: str
    at: datetime
    metadata: dict[str, Any]
    conversation_id: str | None
    source: dict[str, Any]
    similarity: float | None
    coverage: float


@dataclass(frozen=True)
class Found:
    """What a search found, best first, and which ways it took: `words`, `meaning`, `exact`.

    note: says so when a way could not be taken.
    """

    items: list[FoundMemory] = field(default_factory=list)
    ways: tuple[str, ...] = ()
    note: str | None = None


def search(
    tenant: str,
    user_id: str,
    query: str,
    *,
    k: int = 10,
    conversation_id: str | None = None,
    kinds: Sequence[str] | None = None,
) -> Found:
    """The `k` memories (at most 200) of this user that fit the query best; fewer only if there are fewer.

    conversation_id and kinds narrow what is searched. An empty query finds nothing.
    """
    asked = query.replace("\x00", " ")[:MAX_QUERY].strip()
    if not asked or k < 1:
        return Found()
    embedded, note = _embed(asked)
    with database.session() as session:
        rows = session.execute(
            _SEARCH,
            {
                "tenant": tenant,
                "user_id": user_id,
                "conversation_id": conversation_id,
                "kinds": None if kinds is None else list(kinds),
                "query": asked,
                "padded_query": f" {' '.join(_WORD.findall(asked.lower()))} ",
                "vector": embedded.as_text()[0] if embedded else None,
                "space": embedded.space if embedded else None,
                "k": min(k, MAX_RESULTS),
            },
        ).all()
    return Found([_found(row) for row in rows], ("words", "meaning", "exact") if embedded else ("words", "exact"), note)


def _embed(query: str) -> tuple[Embedded | None, str | None]:
    try:
        return embedders.current().embed([query]), None
    except Unavailable as error:
        _log.warning("Memories are searched by words alone", reason=error.detail)
        return None, f"Searched by words alone: {error.detail}"


def _found(row: Any) -> FoundMemory:
    return FoundMemory(
        id=row.id,
        text=row.text,
        score=float(row.score),
        kind=row.kind,
        at=row.at,
        metadata=row.metadata,
        conversation_id=row.conversation_id,
        source={
            "runId": str(row.source_run) if row.source_run else None,
            "stepId": row.source_step,
            "trusted": row.trusted,
        },
        similarity=None if row.cosine is None else float(row.cosine),
        coverage=float(row.coverage),
    )
