"""Which way a search takes: every row, exact legs over an owner's rows, or an index walk over the vectors.

What was measured: docs/memory.md.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import TextClause
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from services.memory import scopes, vector_index

Way = Literal["every", "exact", "hnsw"]

EVERY_MOST = 1_000  # rows that are all ranked
EXACT_MOST = 20_000  # rows whose vectors are all compared
MANY = 1_000_000  # stands for the number of rows where they are too many to be counted
LEG = 150  # best of each leg that are ranked, in the ways that do not rank all
COMMON = 0.02  # words in more than this share of the memories are not looked up by themselves

_HERE = Path(__file__).parent
_ALL = (_HERE / "search_all.sql").read_text()
_BEST = (_HERE / "search_best.sql").read_text()
# + 0: the planner of Postgres must not walk the index, whose rows may all be of other owners
_EXACT_NEAREST = """
  select v.memory_id as id from memory_vectors v join memories m on m.id = v.memory_id
  where v.tenant = :tenant and v.owner = any(:owners) and v.space = :space and {visible}
  order by (v.embedding <=> cast(:vector as halfvec)) + 0 limit :most"""
_INDEX_NEAREST = """
  select v.memory_id as id from memory_vectors v join memories m on m.id = v.memory_id
  where v.tenant = :tenant and v.owner = any(:owners) and v.space = '{space}' and {visible}
  order by v.embedding::halfvec({dimensions}) <=> cast(:vector as halfvec({dimensions})) limit :most"""


@dataclass(frozen=True)
class Wanted:
    """Which memories a search may see.

    conversation_id, kinds, since and until (of `at`) narrow it. agent and inside add what belongs to an agent and to a
    conversation. as_of: as things stood at that time; now if None.
    """

    conversation_id: str | None = None
    kinds: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
    agent: str | None = None
    inside: str | None = None


@dataclass(frozen=True)
class Visible:
    """The conditions of a search on `m`, as SQL with its parameters."""

    condition: str
    parameters: dict[str, Any]


def visible(tenant: str, user_id: str, wanted: Wanted) -> Visible:
    """What this user may see of the tenant's memories, narrowed as wanted."""
    owners = scopes.visible(user_id, agent=wanted.agent, conversation_id=wanted.inside or wanted.conversation_id)
    parts = ["m.tenant = :tenant", "m.owner = any(:owners)", "m.quarantined_at is null"]
    if wanted.as_of is None:
        parts.append("(m.valid_to is null or m.valid_to > now()) and (m.expires_at is null or m.expires_at > now())")
    else:
        parts.append(
            "m.valid_from <= :as_of and (m.valid_to is null or m.valid_to > :as_of)"
            " and (m.expires_at is null or m.expires_at > :as_of)"
        )
    given = {
        "m.conversation_id = :conversation_id": wanted.conversation_id,
        "m.kind = any(:kinds)": None if wanted.kinds is None else list(wanted.kinds),
        "m.at >= :since": wanted.since,
        "m.at < :until": wanted.until,
    }
    parts += [condition for condition, value in given.items() if value is not None]
    named = {"as_of": wanted.as_of, **{part.rpartition(":")[2].rstrip(")"): value for part, value in given.items()}}
    parameters = {name: value for name, value in named.items() if value is not None}
    return Visible(" and ".join(parts), {"tenant": tenant, "owners": owners, **parameters})


@dataclass(frozen=True)
class Overview:
    """What there is to search: how many rows (counted up to EXACT_MOST + 1), and who speaks in them."""

    rows: int
    speakers: list[str]


def overview(session: Session, seen: Visible) -> Overview:
    """A first look at what a search may see."""
    look = sql(
        "select count(*) as rows,"
        " coalesce(array_agg(distinct speaker) filter (where speaker is not null), '{}') as speakers"
        f" from (select m.speaker from memories m where {seen.condition} limit :bound) looked"
    )
    row = session.execute(look, {**seen.parameters, "bound": EXACT_MOST + 1}).one()
    return Overview(row.rows, row.speakers)


@dataclass(frozen=True)
class Plan:
    """The way that a search takes, and how many rows it may see, as far as they were counted."""

    way: Way
    rows: int


def choose(session: Session, rows: int, space: str | None) -> Plan:
    """The plan for so many rows."""
    if rows <= EVERY_MOST:
        return Plan("every", rows)
    if rows <= EXACT_MOST or space is None or not vector_index.exists(session, space):
        return Plan("exact", rows)
    return Plan("hnsw", rows)


def statement(way: Way, seen: Visible, space: str | None) -> TextClause:
    """The search that goes this way. Its parameters are said in the two SQL files."""
    if way == "every":
        return sql(_ALL.replace("{visible}", seen.condition))
    if space is None:
        nearest = "select null::uuid as id where false"
    elif way == "hnsw":
        name, dimensions = space.replace("'", "''").replace(":", r"\:"), space.rpartition(":")[2]
        nearest = _INDEX_NEAREST.replace("{space}", name).replace("{dimensions}", dimensions)
    else:
        nearest = _EXACT_NEAREST
    return sql(_BEST.replace("{nearest}", nearest).replace("{visible}", seen.condition))


def owner_words(seen: Visible) -> str:
    """The words that stand for the owners in every memory's lexemes, as a tsquery."""
    tenant = seen.parameters["tenant"]
    marks = [hashlib.md5(f"{tenant}/{owner}".encode()).hexdigest() for owner in seen.parameters["owners"]]
    return "(" + " | ".join(f"'@{mark}'" for mark in marks) + ")"
