"""Text as sentences and content words: what the offline brain compares questions, pages and memories by."""

import re
import unicodedata

_STOP = frozenset(
    """a ask asked about after all also am an and any are as at be been being but by can could did do does doing
    for from get give go going had has have having he her here him his how i i'd i'll i'm i've if in into is
    it its it's just know let like list many may me mean mention mentioned might more most much my need no
    not of off on once only or our out over page please read remember said say says sentence she should show
    site so some something tell than thank thanks that that's the their them then there there's these they
    thing things this those through to told too under until up us use very want was we website were what
    what's when where where's which while who who's whom whose why will with would you your yours""".split()
)
_ENDINGS = ("ingly", "edly", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s", "e", "y")


def fold(text: str) -> str:
    """Lower case, without accents, straight quotes, single spaces."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").replace("‘", "'"))
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).lower().split())


def sentences(text: str) -> list[str]:
    """The sentences of `text`, in order; a line break ends one too."""
    parts = re.split(r"(?<=[.!?])[\"”')]?\s+(?=[\"“'(]?[A-Z0-9À-Ý])|\n+", text)
    return [part.strip() for part in parts if part and part.strip()]


def content(text: str) -> set[str]:
    """The stems of the words that carry meaning, without stop words."""
    words = re.findall(r"[a-z0-9][a-z0-9'.+#-]*[a-z0-9+#]|[a-z0-9]", fold(text))
    return {stem(word.removesuffix("'s")) for word in words if word.removesuffix("'s") not in _STOP}


def stem(word: str) -> str:
    """`word` without its ending, so that weigh, weighs and weighing are one. Crude, but the same on both sides."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
