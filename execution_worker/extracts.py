"""A summary without a model: the sentences of a text that carry most of it, in their order. Always the same for a text.

SumBasic (Nenkova and Vanderwende, "The Impact of Frequency on Summarization", 2005): take the sentence whose words are
the most frequent on average, then let its words count less and go on. Here the opening of the text weighs more, and
said words keep half their weight: squaring, as the paper does, drives short texts off their subject.
"""

import re
from collections import Counter

_ENDS = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9À-ÞА-ЯΑ-Ω])|(?<=[。！？])|\n+")
_ABBREVIATED = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|No|Fig|approx|Jr|Sr|Inc|Ltd|Co)|\b[A-Z])\.$")
_WORD = re.compile(r"[^\W\d_]{2,}|\d+(?:[.,]\d+)*")
_COMMON_WORDS = """
    a about above after again all also am an and any are as at be because been before being below between both but by
    can could did do does doing down during each few for from further had has have having he her here hers him his how
    if in into is it its just may me might more most must my no nor not now of off on once only or other our out over
    own said same she should so some such than that the their them then there these they this those through to too
    under until up upon us very was we were what when where which while who whom why will with would you your
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_LONG = 60  # words; a longer "sentence" is rather a table or a menu
SAID = 0.5
OPENING = 0.35  # how much more the first sentence counts than the last


def extract(text: str, sentences: int) -> str:
    """At most `sentences` sentences of `text`; all of it when it has no more."""
    found = split(text)
    if len(found) <= sentences:
        return " ".join(found)
    words = [_words(sentence) for sentence in found]
    weight = Counter(word for of_one in words for word in of_one)
    total = sum(weight.values()) or 1
    chance = {word: count / total for word, count in weight.items()}
    chosen: list[int] = []
    while len(chosen) < sentences:
        left = [index for index in range(len(found)) if index not in chosen]
        best = max(left, key=lambda index: (_score(words[index], chance, index / len(found)), -index))
        chosen.append(best)
        for word in set(words[best]):
            chance[word] *= SAID
    return " ".join(found[index] for index in sorted(chosen))


def split(text: str) -> list[str]:
    """The sentences of `text`, each once; a line break ends one too."""
    sentences: list[str] = []
    for piece in _ENDS.split(text):
        part = " ".join(piece.split())
        if sentences and part and _ABBREVIATED.search(sentences[-1][-10:]):
            sentences[-1] += f" {part}"
        elif part:
            sentences.append(part)
    return list(dict.fromkeys(sentences))


def _words(sentence: str) -> list[str]:
    return [word for word in (found.lower() for found in _WORD.findall(sentence)) if word not in _COMMON]


def _score(words: list[str], chance: dict[str, float], place: float) -> float:
    """How much of the text a sentence at `place` (0 to 1) says; headings, fragments and endless lines say little."""
    if not words:
        return 0.0
    average = sum(chance[word] for word in words) / len(words)
    shape = min(1.0, len(words) / 6) * (1.0 if len(words) <= _LONG else _LONG / len(words))
    return average * shape * (1 + OPENING * (1 - place))
