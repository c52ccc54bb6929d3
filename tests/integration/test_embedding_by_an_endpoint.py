"""Embeddings of an OpenAI-compatible endpoint: used when configured, done without when it fails."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import text

from services import database
from services.memory import memories, minilm, retrieval, vectors
from tests.environment import environment
from tests.scripted_model import ScriptedModel


@pytest.fixture
def model(servers: object) -> Iterator[ScriptedModel]:
    """An endpoint whose embedding model `tiny-vec` is the active one for the length of a test."""
    with ScriptedModel(()) as scripted:
        with environment(
            OPENAI_BASE_URL=scripted.base_url, OPENAI_API_KEY="sk-canary-1234567890", PERDURE_EMBEDDING_MODEL="tiny-vec"
        ):
            _activate("tiny-vec")
            yield scripted
    _activate(minilm.MODEL)


def _activate(model: str) -> None:
    with database.session() as session:
        session.execute(text("update embedding_models set state = 'retired' where model <> :model"), {"model": model})
        session.execute(
            text(
                "insert into embedding_models (model, state) values (:model, 'active')"
                " on conflict (model) do update set state = 'active'"
            ),
            {"model": model},
        )
    vectors.forget_active()


def test_vectors_carry_the_endpoints_model_and_their_length(model: ScriptedModel) -> None:
    tenant = f"tenant-{uuid4()}"
    stored = memories.add(tenant, "ada", "The attic window leaks when it rains.")
    vectors.embed([stored])
    found = retrieval.search(tenant, "ada", "The attic window leaks when it rains.")
    name, _, dimensions = vectors.spaces_of(stored)[0].partition(":")

    assert name == "tiny-vec"
    assert int(dimensions) > 0
    assert found.items[0].similarity == pytest.approx(1.0, abs=0.01)


def test_vectors_of_another_model_are_not_compared_when_the_active_one_has_none(model: ScriptedModel) -> None:
    tenant = f"tenant-{uuid4()}"
    stored = memories.add(tenant, "ada", "The attic window leaks.")
    vectors.set_vectors([stored], minilm.MiniLM().embed(["The attic window leaks."]))
    found = retrieval.search(tenant, "ada", "attic")

    assert [(item.text, item.similarity) for item in found.items] == [("The attic window leaks.", None)]


def test_an_endpoint_that_is_away_leaves_the_words(model: ScriptedModel) -> None:
    tenant = f"tenant-{uuid4()}"
    memories.add(tenant, "ada", "The attic window leaks when it rains.")
    with environment(OPENAI_BASE_URL="http://127.0.0.1:9/v1"):
        found = retrieval.search(tenant, "ada", "Which window leaks?")

    assert len(found.items) == 1
    assert found.ways == ("words", "every")
    assert "by words alone" in (found.note or "")
