"""Which turns of long talks are found: `python -m benchmarks.memory.locomo --data dev.json --evaluator evaluate.py`.

Data and evaluator (LoCoMo, Maharana et al. 2024, CC BY-NC 4.0) are not part of this project. Every conversation becomes
a user whose turns are written and searched through the public HTTP API of a gateway that this starts, on servers of its
own; the baselines (BM25, vectors alone, reciprocal rank fusion of both) run over the same texts and vectors.
"""

import argparse
import importlib.util
import math
import re
import tempfile
from collections import Counter, defaultdict
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.memory import stage
from services.memory import minilm, vectors

_WORD = re.compile(r"[a-z0-9]+")


class OverTheApi:
    """Perdure: turns as messages of a conversation, k of them per question."""

    def __init__(self, api: stage.Api) -> None:
        self._api = api

    def index(self, talk: Any) -> None:
        """Write the turns in one call, then give them vectors."""
        items = [
            {
                **{"userId": talk.id, "conversationId": talk.id, "kind": "message", "text": turn.text},
                "at": (turn.when.replace(tzinfo=UTC) + timedelta(seconds=turn.pos)).isoformat(),
                "metadata": {
                    **{"speaker": turn.speaker, "session": turn.session, "caption": turn.caption},
                    "turnId": turn.id,
                },
            }
            for turn in talk.turns
        ]
        self._api.post("/api/memory", {"items": items})
        while vectors.embed_pending(64):
            pass

    def retrieve(self, talk: Any, question: str, k: int) -> list[str]:
        """The ids of the turns found, best first."""
        found = self._api.post("/api/memory/search", {"userId": talk.id, "query": question, "k": k})
        return [item["metadata"]["turnId"] for item in found["items"]]


class Baselines:
    """BM25 (k1 1.2, b .75, over speaker, text and caption), cosine of single turns, and both fused by rank (k 60)."""

    def __init__(self, way: str) -> None:
        self._way = way
        self._embedder = minilm.MiniLM()
        self._vectors: dict[str, Any] = {}

    def index(self, talk: Any) -> None:
        """Count the words and embed the turns."""
        self._ids = [turn.id for turn in talk.turns]
        texts = [turn.render(date=False) for turn in talk.turns]
        self._documents = [Counter(_words(text)) for text in texts]
        self._holders = Counter(word for document in self._documents for word in document)
        self._mean = sum(sum(document.values()) for document in self._documents) / len(texts)
        if self._way != "bm25":
            self._vectors[talk.id] = self._embedder.embed(texts).vectors

    def retrieve(self, talk: Any, question: str, k: int) -> list[str]:
        """The ids of the turns found, best first."""
        by_words = np.argsort(-np.array(self._bm25(question)), kind="stable")
        if self._way == "bm25":
            return [self._ids[i] for i in by_words[:k]]
        near = self._vectors[talk.id] @ self._embedder.embed([question]).vectors[0]
        by_meaning = np.argsort(-near, kind="stable")
        if self._way == "vectors":
            return [self._ids[i] for i in by_meaning[:k]]
        fused: defaultdict[int, float] = defaultdict(float)
        for order in (by_words, by_meaning):
            for place, i in enumerate(order[:100]):
                fused[int(i)] += 1 / (60 + place + 1)
        return [self._ids[i] for i in sorted(fused, key=lambda i: -fused[i])[:k]]

    def _bm25(self, question: str) -> list[float]:
        total, points = len(self._documents), []
        asked = set(_words(question))
        for document in self._documents:
            length = sum(document.values()) / self._mean
            points.append(
                sum(
                    math.log(1 + (total - self._holders[word] + 0.5) / (self._holders[word] + 0.5))
                    * document[word] * 2.2 / (document[word] + 1.2 * (0.25 + 0.75 * length))
                    for word in asked if word in document
                )
            )  # fmt: skip
        return points


def _words(text: str) -> list[str]:
    return [re.sub(r"(?:ing|ed|es|s)$", "", word) if len(word) > 4 else word for word in _WORD.findall(text.lower())]


def _evaluator(path: Path) -> Any:
    import sys

    spec = importlib.util.spec_from_file_location("locomo_evaluate", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["locomo_evaluate"] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Print one table a system, all of the same run."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--evaluator", type=Path, required=True)
    asked.add_argument("--systems", default="perdure,words,bm25,vectors,rrf")
    given = asked.parse_args()
    evaluate = _evaluator(given.evaluator)
    data, _ = evaluate.load(given.data)
    for name in given.systems.split(","):
        if name in {"perdure", "words"}:
            with tempfile.TemporaryDirectory() as home, stage.stack(Path(home), words_only=name == "words") as api:
                result = evaluate.run(OverTheApi(api), data)
        else:
            result = evaluate.run(Baselines(name), data)
        print(evaluate.table(name, evaluate.summary(result)), flush=True)


if __name__ == "__main__":
    main()
