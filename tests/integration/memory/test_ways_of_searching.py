"""Which way a search takes, and that the ways agree on what is found. The limits are lowered to be within reach."""

from collections.abc import Iterator
from uuid import uuid4

import numpy as np
import psycopg
import pytest
from sqlalchemy import text

from services import database, settings
from services.memory import memories, minilm, planner, retrieval, vector_index, vectors
from services.memory.embedding import Embedded
from services.memory.memories import NewMemory
from services.pipeline import embedded_servers

ROWS = 1_500


@pytest.fixture(scope="module")
def tenant(servers: object) -> Iterator[str]:
    """Owners `many` (most of the rows) and `few` (one in fifty), with made-up vectors in one space, indexed."""
    name, random = f"tenant-{uuid4()}", np.random.default_rng(3)
    owners = ["few" if number % 50 == 0 else "many" for number in range(ROWS)]
    ids = memories.add_many(
        name,
        [
            NewMemory(
                owner,
                f"Crate {number} holds lamp{number % 97} and rope{number % 89}.",
                kind="fact" if number % 10 else "note",
            )
            for number, owner in enumerate(owners)
        ],
    )
    made = random.normal(size=(ROWS, 384)).astype(np.float32)
    vectors.set_vectors(ids, Embedded(minilm.SPACE, made / np.linalg.norm(made, axis=1, keepdims=True)))
    vector_index.ensure(minilm.SPACE, enough=1)
    with database.session() as session:
        session.execute(text("analyze memories"))
    yield name
    with database.session() as session:
        session.execute(text(f"drop index {vector_index.name_of(minilm.SPACE)}"))


def search(tenant: str, owner: str, query: str = "rope5 and lamp7", **more: object) -> retrieval.Found:
    return retrieval.search(tenant, owner, query, k=10, **more)  # type: ignore[arg-type]


def limits(monkeypatch: pytest.MonkeyPatch, every: int, exact: int) -> None:
    monkeypatch.setattr(planner, "EVERY_MOST", every)
    monkeypatch.setattr(planner, "EXACT_MOST", exact)


@pytest.mark.parametrize(
    ("every", "exact", "way"), [(5_000, 9_000, "every"), (100, 9_000, "exact"), (100, 200, "hnsw")]
)
def test_the_way_follows_from_the_number_of_rows_and_is_named(
    tenant: str, monkeypatch: pytest.MonkeyPatch, every: int, exact: int, way: str
) -> None:
    limits(monkeypatch, every, exact)

    assert search(tenant, "many").ways == ("words", "meaning", way)


@pytest.mark.parametrize(("every", "exact"), [(100, 9_000), (100, 200), (5, 9_000), (5, 10)])
@pytest.mark.parametrize("owner", ["many", "few"])
def test_every_way_finds_nearly_what_ranking_all_rows_finds(
    tenant: str, monkeypatch: pytest.MonkeyPatch, every: int, exact: int, owner: str
) -> None:
    shared = []
    for number in range(12):
        query = f"lamp{number * 7} or rope{number * 5}"
        limits(monkeypatch, 5_000, 9_000)
        wanted = {item.id for item in search(tenant, owner, query).items}
        limits(monkeypatch, every, exact)
        got = {item.id for item in search(tenant, owner, query).items}
        shared.append(len(wanted & got) / len(wanted))

    assert np.mean(shared) >= 0.95


@pytest.mark.parametrize(("every", "exact"), [(5_000, 9_000), (5, 9_000), (5, 10)])
def test_never_fewer_rows_come_back_than_there_are(
    tenant: str, monkeypatch: pytest.MonkeyPatch, every: int, exact: int
) -> None:
    limits(monkeypatch, every, exact)

    assert len(retrieval.search(tenant, "few", "nothing of this kind", k=200).items) == ROWS // 50
    assert len(retrieval.search(tenant, "many", "nothing of this kind", k=200).items) == 200
    assert len(retrieval.search(tenant, "few", "rope", k=200, kinds=["note"]).items) == 30
    assert retrieval.search(tenant, "nobody", "rope", k=200).items == []


def test_an_index_that_was_left_half_made_is_made_anew(tenant: str) -> None:
    name = vector_index.name_of(minilm.SPACE)
    url = embedded_servers.as_superuser(settings.current().database.replace("+psycopg", ""))
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute("update pg_index set indisvalid = false where indexrelid = to_regclass(%s)", [name])

    with database.session() as session:
        assert not vector_index.exists(session, minilm.SPACE)
    assert vector_index.ensure(minilm.SPACE, enough=1)
    with database.session() as session:
        assert vector_index.exists(session, minilm.SPACE)
