"""Search over memories: whose they are, what is found, and which ways are taken."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from services.errors import NotFound
from services.memory import care, embedders, memories, minilm, recall, retrieval, vectors
from services.memory.memories import NewMemory

FACTS = [
    "The spare key is under the third flower pot.",
    "My dentist is Doctor Brandt in Linden Street.",
    "I am allergic to peanuts and hazelnuts.",
    "The boiler was serviced in October by Hansen & Son.",
    "Our puppy Biscuit chewed the left hiking boot.",
    "The choir rehearses every Tuesday at the old mill.",
]


@pytest.fixture(scope="module")
def tenant(servers: object) -> str:
    """A tenant whose user `ada` has the facts above, embedded."""
    name = f"tenant-{uuid4()}"
    memories.add_many(name, [NewMemory("ada", fact) for fact in FACTS])
    embed_everything()
    return name


@pytest.fixture
def without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An embedder whose weights file is cut short, as after a broken download."""
    broken = tmp_path / "model.onnx"
    broken.write_bytes(b"half a model")
    embedder = minilm.MiniLM(weights=broken)
    monkeypatch.setattr(embedders, "named", lambda model: embedder)
    yield


def embed_everything() -> None:
    while vectors.embed_pending(500):
        pass


def texts(found: retrieval.Found) -> list[str]:
    return [memory.text for memory in found.items]


def test_a_question_in_other_words_finds_the_memory_by_meaning(tenant: str) -> None:
    found = retrieval.search(tenant, "ada", "Which foods could make me ill?", k=1)

    assert texts(found) == ["I am allergic to peanuts and hazelnuts."]
    assert found.ways == ("words", "meaning", "every")


def test_a_rare_name_finds_the_memory_by_its_word(tenant: str) -> None:
    found = retrieval.search(tenant, "ada", "Hansen", k=1)

    assert texts(found) == ["The boiler was serviced in October by Hansen & Son."]
    assert found.items[0].coverage == pytest.approx(1.0)


def test_users_and_tenants_never_meet(tenant: str) -> None:
    other = f"tenant-{uuid4()}"
    memories.add(tenant, "ben", "My spare key hangs at the neighbour's.")
    memories.add(other, "ada", "My spare key lies in the car.")

    assert texts(retrieval.search(tenant, "ben", "spare key", k=50)) == ["My spare key hangs at the neighbour's."]
    assert texts(retrieval.search(other, "ada", "spare key", k=50)) == ["My spare key lies in the car."]
    assert len(retrieval.search(tenant, "ada", "spare key", k=50).items) == len(FACTS)


def test_a_memory_of_another_tenant_is_not_found_by_its_id(tenant: str) -> None:
    stored = memories.add(tenant, "cleo", "The safe opens to the left.")

    with pytest.raises(NotFound):
        memories.get(f"tenant-{uuid4()}", stored)
    with pytest.raises(NotFound):
        care.forget(f"tenant-{uuid4()}", stored)
    assert memories.get(tenant, stored).text == "The safe opens to the left."


def test_conversation_and_kind_narrow_the_search(tenant: str) -> None:
    memories.add(tenant, "dora", "Paint the fence green.", kind="note", conversation_id="c1")
    memories.add(tenant, "dora", "Paint the shed red.", kind="fact", conversation_id="c2")

    assert texts(retrieval.search(tenant, "dora", "paint", conversation_id="c2")) == ["Paint the shed red."]
    assert texts(retrieval.search(tenant, "dora", "paint", kinds=["note"])) == ["Paint the fence green."]


def test_a_new_memory_is_found_by_its_words_before_it_is_embedded(tenant: str) -> None:
    memories.add(tenant, "emil", "The tent pegs are in the attic.")
    found = retrieval.search(tenant, "emil", "Where are the pegs?")

    assert texts(found) == ["The tent pegs are in the attic."]
    assert found.items[0].similarity is None


def test_embedding_gives_every_pending_memory_a_vector_once(tenant: str) -> None:
    embed_everything()
    memories.add_many(tenant, [NewMemory("finn", f"Jar number {number} holds buttons.") for number in range(5)])

    assert vectors.embed_pending(3) == 3
    assert vectors.embed_pending(3) == 2
    assert vectors.embed_pending(3) == 0
    assert all(memory.similarity for memory in retrieval.search(tenant, "finn", "buttons").items)


def test_without_weights_the_search_goes_on_by_words_and_says_so(tenant: str, without_weights: None) -> None:
    found = retrieval.search(tenant, "ada", "When does the choir rehearse?", k=1)

    assert texts(found) == ["The choir rehearses every Tuesday at the old mill."]
    assert found.ways == ("words", "every")
    assert "by words alone" in (found.note or "")


def test_vectors_of_another_model_are_not_compared(tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    memories.add(tenant, "gina", "The cello case needs a new strap.")
    embed_everything()
    monkeypatch.setattr(minilm, "SPACE", "some-other-model:384")
    found = retrieval.search(tenant, "gina", "cello")

    assert texts(found) == ["The cello case needs a new strap."]
    assert found.items[0].similarity is None


@pytest.mark.parametrize("query", ["", "   ", "\x00"])
def test_an_empty_query_finds_nothing(tenant: str, query: str) -> None:
    assert retrieval.search(tenant, "ada", query) == retrieval.Found()


@pytest.mark.parametrize(
    "query",
    ["the of and a", "'; drop table notes; --", "a'b\\c & | ! :* <-> ((", "x" * 10_000, "key " * 2_500, "🔑"],
)
def test_odd_queries_are_answered(tenant: str, query: str) -> None:
    assert len(retrieval.search(tenant, "ada", query, k=3).items) == 3


def test_a_turn_is_found_through_the_question_before_it(tenant: str) -> None:
    start = datetime(2026, 4, 1, 18, 0, tzinfo=UTC)
    talk = [
        ("Ole", "Did you see the game last night?"),
        ("Ida", "No, I was repairing the loom."),
        ("Ole", "By the way, which colour did you paint the greenhouse?"),
        ("Ida", "A very dark blue."),
        ("Ole", "Anyway, see you soon."),
        ("Ida", "Bye for now!"),
    ]
    memories.add_many(
        tenant,
        [
            NewMemory(
                "hugo",
                text,
                kind="message",
                at=start + timedelta(seconds=number),
                conversation_id="talk",
                metadata={"speaker": speaker, "session": 1},
            )
            for number, (speaker, text) in enumerate(talk)
        ],
    )
    embed_everything()

    assert "A very dark blue." in texts(retrieval.search(tenant, "hugo", "What colour is Ida's greenhouse?", k=2))


def test_recall_gives_what_fits_and_nothing_when_nothing_fits(tenant: str) -> None:
    assert recall.recall(tenant, "ada", "Where do we keep the spare key?", limit=5) == [FACTS[0]]
    assert recall.recall(tenant, "ada", "What did my dog destroy?", limit=5) == [FACTS[4]]
    for unrelated in ("What is 17% of 2340?", "What time is it in Tokyo?", "Convert 3 miles to km", "Hello"):
        assert recall.recall(tenant, "ada", unrelated, limit=5) == [], unrelated


def test_an_episode_of_the_same_form_but_about_something_else_is_not_recalled(tenant: str) -> None:
    memories.add(tenant, "jan", "Asked: Convert 12 miles to km\nAnswer: 12 mi = 19.31 km", kind="episode")
    memories.add(tenant, "jan", "Asked: What is 17% of 2340?\nAnswer: 17% of 2340 = 397.8", kind="episode")
    embed_everything()

    assert recall.recall(tenant, "jan", "Convert 5 pounds to kg", limit=5) == []
    assert recall.recall(tenant, "jan", "What is 25% of 80?", limit=5) == []
    assert "397.8" in recall.recall(tenant, "jan", "What did I ask about 2340?", limit=5)[0]


def test_recall_leaves_out_what_came_from_untrusted_places(tenant: str) -> None:
    memories.add(tenant, "iris", "The invoices are printed on the third floor.", trust="outside")
    embed_everything()

    assert recall.recall(tenant, "iris", "Where are the invoices printed?", limit=5) == []
    assert len(retrieval.search(tenant, "iris", "invoices").items) == 1
