"""The HNSW index of each space: half-precision cosine, one partial index a space, made when there is enough to walk."""

import hashlib

from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from services import database, logs

ENOUGH = 20_000  # vectors; below this every search compares all that it may see
_BUILD = "with (m = 24, ef_construction = 128)"  # 50,000 of 500,000 rows: recall .98 (design.md §9)
_log = logs.get(__name__)


def name_of(space: str) -> str:
    """The name of a space's index."""
    return f"hnsw_memory_vectors_{hashlib.sha256(space.encode()).hexdigest()[:12]}"


def exists(session: Session, space: str) -> bool:
    """Whether the space has an index that is ready to be walked."""
    found = session.execute(
        sql("select true from pg_index where indexrelid = to_regclass(:name) and indisvalid"), {"name": name_of(space)}
    )
    return found.scalar() is not None


def ensure(space: str, *, enough: int = ENOUGH) -> bool:
    """Make the index of a space that has `enough` vectors, while searches and writes go on; returns whether it did.

    An index that a killed process left half made is made anew. Two processes at once: one does it.
    """
    engine = database.engine().execution_options(isolation_level="AUTOCOMMIT")
    name, dimensions = name_of(space), int(space.rpartition(":")[2])
    with engine.connect() as connection:
        if not connection.execute(sql("select pg_try_advisory_lock(hashtext(:name))"), {"name": name}).scalar():
            return False
        try:
            valid = connection.execute(
                sql("select indisvalid from pg_index where indexrelid = to_regclass(:name)"), {"name": name}
            ).scalar()
            counted = sql("select count(*) from (select 1 from memory_vectors where space = :space limit :enough) v")
            if valid or connection.execute(counted, {"space": space, "enough": enough}).scalar_one() < enough:
                return False
            if valid is False:
                connection.execute(sql(f"drop index if exists {name}"))
            _log.info("Building the vector index", space=space)
            quoted = space.replace("'", "''").replace(":", r"\:")
            connection.execute(
                sql(
                    f"create index concurrently {name} on memory_vectors"
                    f" using hnsw ((embedding::halfvec({dimensions})) halfvec_cosine_ops) {_BUILD}"
                    f" where space = '{quoted}'"
                )
            )
            return True
        finally:
            connection.execute(sql("select pg_advisory_unlock(hashtext(:name))"), {"name": name})
