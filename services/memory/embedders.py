"""Which embedder this process uses: the configured endpoint's, or the embedded default that needs no network."""

from functools import lru_cache
from importlib import import_module

import numpy as np

from services import settings
from services.errors import Unavailable
from services.memory.embedding import Embedded, Embedder
from services.memory.minilm import MiniLM


class Endpoint:
    """The embedding model of the OpenAI-compatible endpoint, named by PERDURE_EMBEDDING_MODEL."""

    def __init__(self, model: str) -> None:
        self._model = model

    def embed(self, texts: list[str]) -> Embedded:
        """One vector per text, in order. Raises Unavailable when the endpoint does not answer as it should."""
        provider = import_module("services.model.provider")  # only who uses it loads the client library
        vectors = np.array(provider.embed(texts), dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise Unavailable(
                f"The endpoint gave {len(vectors)} vectors of unequal or no length for {len(texts)} texts."
            )
        lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return Embedded(f"{self._model}:{vectors.shape[1]}", vectors / lengths)


@lru_cache(maxsize=1)
def current() -> Embedder:
    """This process's embedder; nothing is loaded before its first use."""
    model = settings.current().embedding_model
    return Endpoint(model) if model else MiniLM()
