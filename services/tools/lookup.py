"""Capability lookup: the tools that fit a request best, of hundreds, by words and by meaning.

Called by the planner, so that a model reads the tools that may serve and not all there are, and by GET /api/tools?q=.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.errors import Unavailable
from services.memory import vectors
from services.phrases import words
from services.tools import tool_vectors
from services.tools.catalogue import ListedTool

# Chosen on tests/integration/lookup/requests.txt; requests_held_out.txt was written afterwards (docs/tools.md).
WORDS = 0.3  # the share of the words; the rest is the meaning's
WHOLE = 2  # tools that the whole request chooses in each turn, for one of each part
NAME, CAPABILITIES, TEXT = 1.5, 1.2, 1.0  # what a word counts for by where it stands
PARTS = 6  # of a request, beside the whole
_PART = re.compile(r"[.;!?\n]+\s+|,\s*(?:and |then |but )?\s*|\b(?:and then|then|and also|and)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Fitting:
    """A tool and how well it fits, from 0 to about 1."""

    tool: ListedTool
    score: float


@dataclass(frozen=True)
class Found:
    """Best first. pending: some tool has no vector yet and was judged by its words alone; ring for it."""

    items: list[Fitting]
    pending: bool = False


def fitting(request: str, tools: Mapping[str, ListedTool], k: int, *, also: Iterable[str] = ()) -> Found:
    """The `k` tools that fit best. Where the embedder does not work: by words alone.

    A request of several parts is looked up as a whole and part by part, in turns, so that each part finds its tool.
    also: more texts to look up, such as the message that a request refers to.
    """
    listed = list(tools.values())
    if not listed or k < 1:
        return Found([])
    sought = [*_parts(request), *also]
    scores, known = _by_words(sought, listed), None
    with suppress(Unavailable):  # then the lexical leg goes on alone
        known = _by_meaning(sought, listed)
    if known is not None:
        scores = WORDS * scores + (1 - WORDS) * np.nan_to_num(known)
    best = [Fitting(listed[place], round(float(scores[:, place].max()), 4)) for place in _in_turns(scores)[:k]]
    return Found(best, known is not None and bool(np.isnan(known).any()))


def _parts(request: str) -> list[str]:
    parts = [part.strip() for part in _PART.split(request) if part and len(part.split()) > 1]
    return [request, *(parts[:PARTS] if len(parts) > 1 else [])]


def _in_turns(scores: NDArray[np.float64]) -> list[int]:
    """Places of tools: the two best for the whole, the best for each part, then the next two for the whole, …"""
    whole, *rest = np.argsort(-scores, axis=1, kind="stable").tolist()
    turns: list[int] = []
    for turn in range(-(-len(whole) // WHOLE)):
        turns += whole[turn * WHOLE : (turn + 1) * WHOLE]
        turns += [order[turn] for order in rest]
    return list(dict.fromkeys(turns))


def _by_meaning(sought: Sequence[str], tools: Sequence[ListedTool]) -> NDArray[np.float64]:
    """How near each tool is to each text; not a number for tools without vectors. Raises Unavailable."""
    embedded = vectors.embed_query(list(sought))
    near = np.full((len(sought), len(tools)), np.nan)
    for place, rows in enumerate(tool_vectors.known(tools, embedded.space)):
        if rows is not None:
            to_each = embedded.vectors @ rows.T
            about = to_each[:, : tool_vectors.ABOUT].mean(axis=1)  # that, and what is nearest but for the bare name
            near[:, place] = (to_each[:, 1:].max(axis=1) + about) / 2
    return near


def _by_words(sought: Sequence[str], tools: Sequence[ListedTool]) -> NDArray[np.float64]:
    """The share of each text's words that a tool has, rare words counting more."""
    weights = _weights(tuple(_spoken(tool) for tool in tools))
    unknown = math.log(1 + len(tools) / 0.5)
    scores = np.zeros((len(sought), len(tools)))
    for row, text in enumerate(sought):
        whole = 0.0
        for word in words.content(text):
            rarity, having = weights.get(word, (unknown, {}))
            whole += rarity
            for place, weight in having.items():
                scores[row, place] += rarity * weight
        scores[row] /= whole or 1.0
    return scores


def _spoken(tool: ListedTool) -> tuple[str, str, str]:
    """The words of a tool, by where they stand."""
    return tool_vectors.spoken_name(tool), "\n".join(tool.capabilities), "\n".join([tool.description, *tool.examples])


@lru_cache(maxsize=16)
def _weights(tools: tuple[tuple[str, str, str], ...]) -> dict[str, tuple[float, dict[int, float]]]:
    """Each word's rarity (Robertson's idf, as BM25 has it), with the places of the tools that have it."""
    having: dict[str, dict[int, float]] = {}
    for place, fields in enumerate(tools):
        for text, weight in zip(fields, (NAME, CAPABILITIES, TEXT), strict=True):
            for word in words.content(text):
                places = having.setdefault(word, {})
                places[place] = max(weight, places.get(place, 0.0))
    size = len(tools)
    return {
        word: (math.log(1 + (size - len(places) + 0.5) / (len(places) + 0.5)), places)
        for word, places in having.items()
    }
