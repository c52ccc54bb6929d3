"""Finding memories again: words and meaning in one query (planner.py), then the last ranking (ranking.py)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy import text as sql
from sqlalchemy.orm import Session, defer

from services import clock, database, logs
from services.errors import Unavailable
from services.memory import planner, questions, ranking, vectors
from services.memory.embedding import Embedded
from services.memory.memories import Memory
from services.memory.planner import Wanted

MAX_RESULTS = 200
MAX_QUERY = 2_000  # characters that are looked at; the rest of a longer query is ignored
TIMEOUT = 5_000  # milliseconds after which Postgres gives a search up

_WORD = re.compile(r"[^\W_]+")
_log = logs.get(__name__)


@dataclass(frozen=True)
class FoundMemory:
    """A memory with how well it fits. score orders one result list and means nothing across lists.

    similarity: cosine of query and memory, None if the memory has no vector yet or the query got none.
    coverage: share of the query's words found in it, rare words weighing more, 0 to 1. parts: what the score is made
    of, by name.
    """

    memory: Memory
    score: float
    similarity: float | None
    coverage: float
    parts: dict[str, float]

    @property
    def id(self) -> UUID:
        """The memory's id."""
        return self.memory.id

    @property
    def text(self) -> str:
        """The memory's text."""
        return self.memory.text

    @property
    def kind(self) -> str:
        """The memory's kind."""
        return self.memory.kind

    @property
    def at(self) -> datetime:
        """When it was said or happened."""
        return self.memory.at


@dataclass(frozen=True)
class Found:
    """What a search found, best first, and which ways it took: `words`, `meaning`, then `every`, `exact` or `hnsw`.

    note: says so when a way could not be taken.
    """

    items: list[FoundMemory] = field(default_factory=list)
    ways: tuple[str, ...] = ()
    note: str | None = None


class Narrowed(TypedDict, total=False):
    """What a search may see; planner.Wanted explains each."""

    conversation_id: str | None
    kinds: Any
    since: datetime | None
    until: datetime | None
    as_of: datetime | None
    agent: str | None
    inside: str | None


def search(tenant: str, user_id: str, query: str, *, k: int = 10, **narrowed: Unpack[Narrowed]) -> Found:
    """The `k` memories (at most 200) that this user may see and that fit the query best; fewer only if there are fewer.

    An empty query finds nothing. Raises Unavailable when Postgres does not answer in time.
    """
    asked = query.replace("\x00", " ")[:MAX_QUERY].strip()
    if not asked or k < 1:
        return Found()
    seen = planner.visible(tenant, user_id, Wanted(**narrowed))
    with _searching() as session:
        there = planner.overview(session, seen)
    sought = _Query(asked, _named(asked, there.speakers), narrowed.get("as_of") or clock.now(), min(k, MAX_RESULTS))
    embedded, note = _embed(sought)  # holds no connection: an endpoint may take its time
    with _searching() as session:
        plan = planner.choose(session, there.rows, embedded.space if embedded else None)
        rows = _rows(session, sought, embedded, seen, plan)
        ranked = _ranked(ranking.candidates(rows, every=plan.way == "every"), sought)
        ranked += _newest(session, seen, sought.k - len(ranked), [one[0] for one in ranked])
        items = _read(session, ranked)
    return Found(items, ("words", "meaning", plan.way) if embedded else ("words", plan.way), note)


@contextmanager
def _searching() -> Iterator[Session]:
    """A transaction whose statements Postgres gives up after TIMEOUT. Raises Unavailable then."""
    with database.session() as session:
        session.execute(sql(f"set local statement_timeout = {TIMEOUT}"))
        yield session


@dataclass(frozen=True)
class _Query:
    """text: what was asked. named: the one speaker whom it names. now: what "last week" is seen from."""

    text: str
    named: str | None
    now: datetime
    k: int


def _named(query: str, speakers: list[str]) -> str | None:
    """Whom the query names, if it names exactly one of those who speak."""
    padded = f" {' '.join(_WORD.findall(query.lower()))} "
    named = [name for name in speakers if f" {' '.join(_WORD.findall(name.lower()))} " in padded]
    return named[0] if len(named) == 1 else None


def _embed(query: _Query) -> tuple[Embedded | None, str | None]:
    """What the query means. The vectors of turns know nothing of who speaks, so the name is left out of it."""
    text = questions.without_name(query.text, query.named) if query.named else query.text
    try:
        return vectors.embed_query([text]), None
    except Unavailable as error:
        _log.warning("Memories are searched by words alone", reason=error.detail)
        return None, f"Searched by words alone: {error.detail}"


def _rows(
    session: Session, query: _Query, embedded: Embedded | None, seen: planner.Visible, plan: planner.Plan
) -> list[Any]:
    space = embedded.space if embedded else None
    if plan.way == "hnsw":
        session.execute(sql("set local hnsw.iterative_scan = relaxed_order"))
        session.execute(sql("set local hnsw.ef_search = 200"))
    parameters = {
        **seen.parameters,
        "query": query.text,
        "vector": embedded.as_text()[0] if embedded else None,
        "space": space,
    }
    if plan.way != "every":
        parameters |= {
            "most": max(planner.LEG, query.k),
            "total": plan.rows if plan.way == "exact" else planner.MANY,
            "common": 1.0 if plan.way == "exact" else planner.COMMON,
            "owner_words": planner.owner_words(seen),
        }
    return list(session.execute(planner.statement(plan.way, seen, space), parameters).all())


_Ranked = tuple[UUID, float, float | None, float, dict[str, float]]


def _ranked(found: ranking.Candidates, query: _Query) -> list[_Ranked]:
    if not len(found):
        return []
    word_points, coverage = ranking.words(found)
    own = ranking.own(found, word_points, query.text)
    parts = {"own": own, **ranking.structured(found, own, query.named)}
    top = float(np.sum(list(parts.values()), axis=0).max())
    parts |= ranking.circumstances(found, top, questions.span(query.text, query.now), query.now)
    scores = np.sum(list(parts.values()), axis=0)
    order = sorted(range(len(found)), key=lambda i: (scores[i], found.at[i], found.positions[i]), reverse=True)
    return [
        (
            found.ids[i],
            float(scores[i]),
            None if np.isnan(found.cosine[i]) else float(found.cosine[i]),
            float(coverage[i]),
            {"words": round(float(word_points[i]), 4), **{n: round(float(part[i]), 4) for n, part in parts.items()}},
        )
        for i in order[: query.k]
    ]


def _newest(session: Session, seen: planner.Visible, missing: int, have: list[UUID]) -> list[_Ranked]:
    """What fits neither by words nor by meaning fills the list, the newest first: never fewer rows than exist."""
    if missing <= 0:
        return []
    statement = sql(
        f"select m.id from memories m where {seen.condition} and m.id <> all(cast(:have as uuid[]))"
        " order by m.at desc, m.position desc limit :missing"
    )
    found = session.execute(statement, {**seen.parameters, "have": have, "missing": missing})
    return [(memory_id, 0.0, None, 0.0, {}) for memory_id in found.scalars()]


def _read(session: Session, ranked: list[_Ranked]) -> list[FoundMemory]:
    query = select(Memory).where(Memory.id.in_([one[0] for one in ranked])).options(defer(Memory.lexemes))
    rows = {memory.id: memory for memory in session.scalars(query)} if ranked else {}
    return [FoundMemory(rows[one[0]], *one[1:]) for one in ranked if one[0] in rows]
