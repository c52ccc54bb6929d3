"""Speed and recall with many memories: `python -m benchmarks.memory.scale [--rows 500000] [--home DIR]`.

One tenant; owners of 50 %, 10 %, 1 %, 0.1 % and 0.01 % of the rows, the rest in owners of 100. Made-up sentences with
Zipf's law over 20,000 words; made-up vectors in clusters. Prints the import's rows a second, the time of the index
build, and for each share recall@10 of the planned search's vectors against the exact one with latencies.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from sqlalchemy import text as sql

from benchmarks.memory import stage
from services import database, settings
from services.memory import memories, minilm, planner, ranking, retrieval, vector_index, vectors
from services.memory.embedding import Embedded
from services.memory.memories import NewMemory
from services.memory.planner import Wanted
from services.pipeline import embedded_servers

TENANT = "scale"
SHARES = {"half": 0.5, "tenth": 0.1, "hundredth": 0.01, "thousandth": 0.001, "least": 0.0001}
SMALL = 100  # rows of each other owner
QUERIES = 30


class World:
    """Made-up owners, sentences and vectors, the same for the same number of rows."""

    def __init__(self, rows: int) -> None:
        self.random = np.random.default_rng(7)
        self.owners = [name for name, share in SHARES.items() for _ in range(int(rows * share))]
        others = rows - len(self.owners)
        self.owners += [f"o{n // SMALL}" for n in range(others)]
        self.random.shuffle(self.owners)
        self.centres = self.random.normal(size=(2_000, 384)).astype(np.float32)
        self._words = np.array([f"w{number}x" for number in range(20_000)])
        weights = 1 / np.arange(10, 20_010)
        self._weights = weights / weights.sum()

    def sentences(self, count: int) -> list[str]:
        """Twelve words each."""
        picked = self.random.choice(self._words, size=(count, 12), p=self._weights)
        return [" ".join(line) for line in picked]

    def vectors(self, count: int) -> Any:
        """Unit vectors around the centres, as near each other as sentences about one thing are."""
        near = self.centres[self.random.integers(0, len(self.centres), count)]
        made = near + self.random.normal(size=(count, 384)).astype(np.float32) * 0.9
        return made / np.linalg.norm(made, axis=1, keepdims=True)


def load(world: World) -> None:
    """Import the sentences, then write their vectors as another system would that has embedded them."""
    ids, spent = [], 0.0
    for start in range(0, len(world.owners), 5_000):
        owners = world.owners[start : start + 5_000]
        batch = [NewMemory(owner, text) for owner, text in zip(owners, world.sentences(len(owners)), strict=True)]
        begun = time.perf_counter()
        ids += memories.add_many(TENANT, batch)
        spent += time.perf_counter() - begun
    print(f"import {len(ids) / spent:,.0f} rows/s", flush=True)
    driver: Any = superuser()  # COPY works only for who is not held to row-level security
    driver.autocommit = False
    register_vector(driver)
    with driver.cursor() as cursor:
        columns = "(memory_id, space, tenant, owner, embedding)"
        with cursor.copy(f"copy memory_vectors {columns} from stdin with (format binary)") as copy:
            copy.set_types(["uuid", "text", "text", "text", "halfvec"])
            for start in range(0, len(ids), 10_000):
                part = world.vectors(len(ids[start : start + 10_000]))
                for number, vector in enumerate(part, start):
                    copy.write_row(
                        [ids[number], minilm.SPACE, TENANT, f"user:{world.owners[number]}", HalfVector(vector)]
                    )
        cursor.execute("truncate memories_to_embed")
        cursor.execute("update embedding_models set space = %s", [minilm.SPACE])
    driver.commit()
    driver.autocommit = True
    driver.execute("vacuum analyze memories")
    driver.execute("vacuum analyze memory_vectors")
    driver.close()


def superuser() -> psycopg.Connection[Any]:
    """A connection of who may do everything."""
    url = settings.current().database.replace("+psycopg", "")
    return psycopg.connect(embedded_servers.as_superuser(url), autocommit=True)


def build() -> None:
    """Make the HNSW index."""
    begun = time.perf_counter()
    with superuser() as person:
        person.execute("alter system set maintenance_work_mem = '2GB'")
        person.execute("select pg_reload_conf()")
    vector_index.ensure(minilm.SPACE)
    print(f"index build {time.perf_counter() - begun:,.0f} s", flush=True)


def nearest(owner: str, vector: Any, way: planner.Way | None) -> tuple[list[Any], str, float]:
    """The ten nearest of an owner by that way (None: as planned), the way taken, and milliseconds."""
    embedded = Embedded(minilm.SPACE, vector[None, :])
    seen = planner.visible(TENANT, owner, Wanted())
    begun = time.perf_counter()
    with database.session() as session:
        there = planner.overview(session, seen)
        plan = planner.Plan(way, there.rows) if way else planner.choose(session, there.rows, minilm.SPACE)
        query = retrieval._Query("w3x w17x w2500x", None, retrieval.clock.now(), 10)
        rows = retrieval._rows(session, query, embedded, seen, plan)
        found = ranking.candidates(rows, every=plan.way == "every")
    spent = (time.perf_counter() - begun) * 1e3
    order = np.argsort(-np.nan_to_num(found.cosine, nan=-1.0))[:10]
    return [found.ids[i] for i in order], plan.way, spent


def measure(world: World) -> None:
    """Recall and latency for each share."""
    print(f"{'owner of':>12} {'way':>6} {'recall@10':>10} {'fewest':>7} {'p50 ms':>8} {'p95 ms':>8}  exact p50 ms")
    ways: list[tuple[str, float, planner.Way | None]] = [(name, share, None) for name, share in SHARES.items()]
    for name, share, forced in [*ways, ("tenth", 0.1, "hnsw")]:  # the index where it would not be walked, too
        recalls, fewest, times, exact_times, way = [], 10, [], [], ""
        for vector in world.vectors(QUERIES if share < 0.1 else QUERIES // 2):
            got, way, spent = nearest(name, vector, forced)
            wanted, _, exact_spent = nearest(name, vector, "exact")
            recalls.append(len(set(got) & set(wanted)) / len(wanted))
            fewest = min(fewest, len(got))
            times.append(spent)
            exact_times.append(exact_spent)
        print(f"{share:>12.2%} {way:>6} {statistics.mean(recalls):>10.3f} {fewest:>7} {_percentiles(times)}  "
              f"{statistics.median(exact_times):.1f}", flush=True)  # fmt: skip


def searches(world: World) -> None:
    """Whole searches, the query's embedding included, over the owners of 100 rows."""
    owners = sorted({owner for owner in world.owners if owner.startswith("o")})[:1_000]
    queries = world.sentences(300)
    times = [
        _timed(lambda q=query, o=owner: retrieval.search(TENANT, o, q, k=10)) for query, owner in zip(queries, owners)
    ]  # type: ignore[misc]
    print(f"search of one of {len(owners)} owners, embedding included: p50/p95 ms {_percentiles(times[20:])}")


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1e3


def _percentiles(times: list[float]) -> str:
    ordered = sorted(times)
    return f"{statistics.median(ordered):8.1f} {ordered[int(len(ordered) * 0.95)]:8.1f}"


def main() -> None:
    """Load unless loaded, build unless built, measure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=500_000)
    asked.add_argument("--home", type=Path, help="keep the data here, and use what is there")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as scratch, stage.database(given.home or Path(scratch)):
        world = World(given.rows)
        vectors.active()
        with database.session() as session:
            loaded = session.execute(
                sql("select true from memories where tenant = :tenant limit 1"), {"tenant": TENANT}
            )
            there = loaded.scalar()
        if not there:
            load(world)
        build()
        searches(world)
        measure(world)


if __name__ == "__main__":
    main()
