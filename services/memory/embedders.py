"""The embedders by the name of their model: the configured endpoint's, or the embedded default without a network."""

from functools import lru_cache

import numpy as np

from services import settings
from services.errors import ToolError, Unavailable
from services.memory import minilm
from services.memory.embedding import Embedded, Embedder

TIMEOUT = 10  # seconds; a search that waits longer had better go on by words alone


class Endpoint:
    """An embedding model of the OpenAI-compatible endpoint."""

    def __init__(self, model: str) -> None:
        self._model = model

    def embed(self, texts: list[str]) -> Embedded:
        """One vector per text, in order. Raises Unavailable when the endpoint does not answer as it should."""
        from services.model import provider  # only who embeds by an endpoint loads the client library

        try:
            vectors = np.array(provider.embed(texts, model=self._model, timeout=TIMEOUT), dtype=np.float32)
        except (ToolError, ValueError) as error:
            raise Unavailable(f"The embedding model does not work: {error}") from error
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise Unavailable(f"The embedding model gave {len(vectors)} usable vectors for {len(texts)} texts.")
        lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return Embedded(f"{self._model}:{vectors.shape[1]}", vectors / lengths)


def configured() -> str:
    """The name of the model that the settings ask for."""
    return settings.current().embedding_model or minilm.MODEL


@lru_cache(maxsize=8)
def named(model: str) -> Embedder:
    """This process's embedder of that model; nothing is loaded before its first use."""
    return minilm.MiniLM() if model == minilm.MODEL else Endpoint(model)
