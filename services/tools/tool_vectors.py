"""What tools mean: vectors of what each says of itself, kept by a hash of just that.

Made by the reflection worker, never in a request or a plan; a tool that has none yet is found by its words.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Integer, LargeBinary, Text, delete, select, tuple_
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.memory import vectors
from services.tools.catalogue import ListedTool

ABOUT = 3  # the first rows: its name, what it does, both with its capabilities; after them come its examples
EXAMPLES = 12  # of a tool; more say little more
BATCH = 32  # tools
_LOCK = 7_305_813  # held by the one worker that embeds tools
_NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_known: dict[tuple[str, str], NDArray[np.float32]] = {}


class ToolVectors(database.Base):
    """The vectors of one tool in one space, as rows of halves (float16), one after another."""

    __tablename__ = "tool_vectors"

    hash: Mapped[str] = mapped_column(Text, primary_key=True)
    space: Mapped[str] = mapped_column(Text, primary_key=True)
    dimensions: Mapped[int] = mapped_column(Integer)
    halves: Mapped[bytes] = mapped_column(LargeBinary)


def known(tools: Sequence[ListedTool], space: str) -> list[NDArray[np.float32] | None]:
    """For each tool, its vectors in this space, one a row; None for a tool that has none yet."""
    keys = [(hash_of(tool), space) for tool in tools]
    missing = [key for key in keys if key not in _known]
    if missing:
        query = select(ToolVectors).where(tuple_(ToolVectors.hash, ToolVectors.space).in_(missing))
        with database.session() as session:
            for row in session.scalars(query):
                rows = np.frombuffer(row.halves, dtype=np.float16).reshape(-1, row.dimensions)
                _known[row.hash, row.space] = rows.astype(np.float32)
    return [_known.get(key) for key in keys]


def embed_missing(tools: Iterable[ListedTool]) -> int:
    """Give up to BATCH of these tools their vectors by the active model; returns how many got theirs.

    What belongs to none of them is dropped. One worker at a time; another finds nothing to do. Raises Unavailable.
    """
    hashed = {hash_of(tool): tool for tool in tools}
    space = vectors.active_space() or vectors.embed_query(["tools"]).space  # nothing has been embedded yet
    with database.session() as session:
        if not session.scalar(sql("select pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}):
            return 0
        session.execute(delete(ToolVectors).where(ToolVectors.hash.not_in(hashed)))
        done = set(session.scalars(select(ToolVectors.hash).where(ToolVectors.space == space)))
        chosen = [(key, texts_of(tool)) for key, tool in hashed.items() if key not in done][:BATCH]
        if chosen:
            embedded = vectors.embed_query([text for _, texts in chosen for text in texts])
            lengths = [len(texts) for _, texts in chosen]
            for (key, _), rows in zip(chosen, np.split(embedded.vectors, np.cumsum(lengths)[:-1]), strict=True):
                halves = rows.astype(np.float16).tobytes()
                row = {"hash": key, "space": embedded.space, "dimensions": rows.shape[1], "halves": halves}
                session.execute(insert(ToolVectors).values(row).on_conflict_do_nothing())
    return len(chosen)


def hash_of(tool: ListedTool) -> str:
    """The same as long as the tool says the same of itself."""
    return _hash(tuple(texts_of(tool)))


def texts_of(tool: ListedTool) -> list[str]:
    """What stands for a tool: its name, what it does, all in one, and each of its examples."""
    does = tool.description.split("\n\n")[0]
    whole = f"{spoken_name(tool)}: {does} {'; '.join(tool.capabilities)}".strip()
    return [spoken_name(tool), does, whole, *tool.examples[:EXAMPLES]]


def spoken_name(tool: ListedTool) -> str:
    """`calendar.createEvent` as words."""
    return " ".join(_NAME_PART.findall(tool.name))


@lru_cache(maxsize=5_000)
def _hash(texts: tuple[str, ...]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
