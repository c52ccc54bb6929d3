"""What people say about themselves: recognising such a statement, and turning it round ("my name" → "your name")."""

# One wording a line reads better than wrapped patterns.
# ruff: noqa: E501

import re

from services.phrases import words

_SELF = re.compile(
    r"(?:my [\w' -]+? (?:is|are|was|were|has|have|lives?|works?|likes?|loves?|starts?|begins?|ends?)|"
    r"(?:i|we) (?:am|'m|live|work|like|love|prefer|hate|have|own|study|speak|drive|eat|drink|play|use|was born|grew up|moved|"
    r"come from|dislike|enjoy|collect|bought|met|visited|parked|left|put|always|usually|never|was|were|can|can't)|"
    r"(?:i|we)'(?:m|re|ve)|our [\w' -]+? (?:is|are|has|have)|(?:call me|you can call me))\b.+",
    re.IGNORECASE | re.DOTALL,
)
_TURNS = [
    (r"\bI am\b", "you are"), (r"\bI'm\b", "you're"), (r"\bI was\b", "you were"), (r"\bI've\b", "you've"),
    (r"\bI'll\b", "you'll"), (r"\bI'd\b", "you'd"), (r"\bam I\b", "are you"), (r"\bI\b", "you"), (r"\bmy\b", "your"),
    (r"\bmine\b", "yours"), (r"\bmyself\b", "yourself"), (r"\bme\b", "you"), (r"\bwe're\b", "you're"),
    (r"\bwe\b", "you"), (r"\bour\b", "your"), (r"\bours\b", "yours"), (r"\bus\b", "you"),
]  # fmt: skip

_NAMED = re.compile(r"(?:[Ii](?:'m| am)|[Tt]his is|[Mm]y name's|(?:[Yy]ou can )?[Cc]all me) ((?:[A-Z][\w'-]+ ?){1,3})")


def about_self(phrase: str) -> bool:
    """Is `phrase` a statement (no question) that its speaker makes about themself?"""
    return (
        _SELF.fullmatch(phrase) is not None and "?" not in phrase and "http" not in phrase and len(phrase.split()) > 1
    )


def turned(phrase: str) -> str:
    """`phrase` as the listener says it back: "My name is Ada" → "Your name is Ada"."""
    said = re.sub(r"^(?:you can )?call me\b", "my name is", phrase.strip().rstrip(".!"), flags=re.IGNORECASE)
    for pattern, other in _TURNS:
        said = re.sub(pattern, other, said, flags=re.IGNORECASE if pattern not in {r"\bus\b"} else 0)
    return said[0].upper() + said[1:]


def answering(question: str, texts: list[str]) -> str | None:
    """The latest statement in `texts` (oldest first) that says what `question` asks, turned round; or None."""
    wanted = words.content(question)
    for text in reversed(texts):
        for sentence in reversed(words.sentences(text)):
            for part in re.split(r",? (?:and|but) (?=(?:i|my|we|our)\b)|;\s*", sentence, flags=re.IGNORECASE):
                fact = re.sub(
                    r"^(?:(?:hi|hello|hey|ok|well|so|also|and|please|by the way|btw)[,!.]?\s+)*(?:(?:remember|note|keep in mind|don't forget)(?: that|:)?\s+)?",
                    "",
                    part.strip().replace("’", "'"),
                    flags=re.IGNORECASE,
                )
                named = _NAMED.fullmatch(fact.strip(" .!"))
                if named and wanted == {words.stem("name")}:
                    return f"Your name is {named[1]}."
                if about_self(fact) and wanted and wanted <= words.content(fact):
                    return f"{turned(fact)}."
    return None
