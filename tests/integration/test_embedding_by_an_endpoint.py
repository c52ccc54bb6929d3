"""Embeddings of an OpenAI-compatible endpoint: used when configured, done without when it fails."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from services.memory import embedders, memories, retrieval
from tests.environment import environment
from tests.scripted_model import ScriptedModel


@pytest.fixture
def model(servers: object) -> Iterator[ScriptedModel]:
    with ScriptedModel(()) as scripted:
        with environment(
            OPENAI_BASE_URL=scripted.base_url, OPENAI_API_KEY="sk-canary-1234567890", PERDURE_EMBEDDING_MODEL="tiny-vec"
        ):
            embedders.current.cache_clear()
            yield scripted
    embedders.current.cache_clear()


def test_vectors_carry_the_endpoints_model_and_their_length(model: ScriptedModel) -> None:
    tenant = f"tenant-{uuid4()}"
    stored = memories.add(tenant, "ada", "The attic window leaks when it rains.")
    memories.embed([stored])
    found = retrieval.search(tenant, "ada", "The attic window leaks when it rains.")
    name, _, dimensions = str(memories.get(tenant, stored).embedding_model).partition(":")

    assert name == "tiny-vec"
    assert int(dimensions) > 0
    assert found.items[0].similarity == pytest.approx(1.0, abs=0.01)


def test_memories_of_the_embedded_model_are_found_by_words_after_a_change_of_model(model: ScriptedModel) -> None:
    tenant = f"tenant-{uuid4()}"
    own = embedders.MiniLM().embed(["The attic window leaks."])
    stored = memories.add(tenant, "ada", "The attic window leaks.")
    memories.set_vectors([stored], own)
    found = retrieval.search(tenant, "ada", "attic")

    assert [(item.text, item.similarity) for item in found.items] == [("The attic window leaks.", None)]


def test_an_endpoint_that_is_away_leaves_the_words(model: ScriptedModel) -> None:
    tenant = f"tenant-{uuid4()}"
    memories.add(tenant, "ada", "The attic window leaks when it rains.")
    with environment(OPENAI_BASE_URL="http://127.0.0.1:9/v1"):
        found = retrieval.search(tenant, "ada", "Which window leaks?")

    assert len(found.items) == 1
    assert found.ways == ("words", "exact")
    assert "by words alone" in (found.note or "")
