"""What people say about themselves: recognising such a statement, and turning it round ("my name" → "your name")."""

# One wording a line reads better than wrapped patterns.

import re
from collections.abc import Iterator

from services.phrases import words

_SELF = re.compile(
    r"(?:my [\w' -]+? (?:is|are|was|were|has|have|lives?|works?|likes?|loves?|starts?|begins?|ends?)|"
    r"(?:i|we) (?:am|'m|live|work|like|love|prefer|hate|have|own|study|speak|drive|eat|drink|play|use|"
    r"was born|grew up|moved|"
    r"come from|dislike|enjoy|collect|bought|met|visited|parked|left|put|always|usually|never|was|were|can|can't)|"
    r"(?:i|we)'(?:m|re|ve)|our [\w' -]+? (?:is|are|has|have)|(?:call me|you can call me))\b.+",
    re.IGNORECASE | re.DOTALL,
)
_VERB = (
    r"(?:is|are|was|were|will|has|have|had|lives?|works?|likes?|loves?|hates?|prefers?|starts?|begins?|ends?|leaves?|"
    r"arrives?|lands?|departs?|opens?|closes?|costs?|weighs?|expires?|runs?|takes?|needs?|moved|said|plays?|wants?|can|"
    r"can't|goes|speaks?|drives?|eats?|drinks?|studies|teaches|sits|stands|happens|turns|became|got|gets|comes?|isn't|"
    r"doesn't|won't|should|must|owes?|used|sleeps?|called)"
)
_OWN = re.compile(r"(?:my|our|mine|ours|i|we|i'm|i've|i'll|i'd|we're|we've|we'll)\b(?: \S+){2,}|i'm \S+", re.IGNORECASE)
_OTHERS = re.compile(
    rf"(?:the|this|that|his|her|their|there|he|she|they|[A-Z][\w-]+(?:'s)?|[a-z]+'s)\b(?: "
    rf"[\w'-]+){{0,5}}? {_VERB} \S.*",
    re.DOTALL,
)
# First words and beginnings that ask for something, however much like a statement they look.
_ASKING = re.compile(
    r"(?:what|who|whom|whose|when|where|which|why|how|is|are|was|were|do|does|did|can|could|will|would|"
    r"should|shall|may|"
    r"has|have|had|am|please|tell|give|show|find|let|make|write|draw|play|send|book|set|call me a|order|open|read|get|"
    r"convert|translate|calculate|if|suppose|i (?:really |just |also )?(?:want|need|wish|wonder|was wondering|hope|"
    r"would like|'d like|should|must know|(?:don't|do not) (?:know|understand|remember|get)|forg[oe]t|can't "
    r"(?:find|remember|open|get)|have a question|am looking|mean|asked|demand)|i'd (?:like|love)|we (?:want|need)|"
    r"i'm (?:looking|trying|wondering|asking|curious|bored|lost)|there's|the (?:answer|result|sum|total))\b",
    re.IGNORECASE,
)
MOSTLY = 0.6
# What only names the kind of answer that is wanted ("which city did I …").
_CATEGORIES = {
    words.stem(word)
    for word in ["city", "town", "country", "place", "day", "date", "time", "year", "month", "kind", "sort", "type"]
}
_PREAMBLE = re.compile(
    r"^(?:(?:hi|hello|hey|ok|well|so|also|and|please|by the way|btw|fyi|just so you know|actually)[,!.:]?\s+)*"
    r"(?:(?:(?:please )?(?:remember|note|keep in mind|bear in mind|don't forget|make a note)(?: that|:)?)\s+)?",
    re.IGNORECASE,
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


def states(phrase: str) -> bool:
    """Is `phrase` a statement that one may take note of: about its speaker, or about someone or something named?"""
    plain = phrase.strip().replace("’", "'")
    if "?" in plain or "http" in plain or _ASKING.match(plain) or len(plain.split()) < 2:
        return False
    return bool(about_self(plain) or _OWN.match(plain) or _OTHERS.match(plain))


def turned(phrase: str) -> str:
    """`phrase` as the listener says it back: "My name is Ada" → "Your name is Ada"."""
    said = re.sub(r"^(?:you can )?call me\b", "my name is", phrase.strip().rstrip(".!"), flags=re.IGNORECASE)
    for pattern, other in _TURNS:
        said = re.sub(pattern, other, said, flags=re.IGNORECASE if pattern not in {r"\bus\b"} else 0)
    return said[0].upper() + said[1:]


def answering(question: str, texts: list[str]) -> str | None:
    """The statement in `texts` (oldest first) that says best what `question` asks, turned round; or None.

    The latest wins among equals; most of what is asked about has to be in it.
    """
    wanted = words.content(question)
    asked = wanted - _CATEGORIES or wanted
    best, found = 0.0, None
    for fact in facts(texts):
        named = _NAMED.fullmatch(fact.strip(" .!"))
        if named and wanted == {words.stem("name")}:
            return f"Your name is {named[1]}."
        share = len(asked & words.content(fact)) / len(asked) if asked else 0
        if share >= max(best, MOSTLY) and states(fact):
            best, found = share, fact
    return f"{turned(found)}." if found else None


def facts(texts: list[str]) -> Iterator[str]:
    """The statements in `texts`, in their order, without what leads up to them."""
    for text in texts:
        for sentence in words.sentences(text):
            for part in re.split(r",? (?:and|but) (?=(?:i|my|we|our)\b)|;\s*", sentence, flags=re.IGNORECASE):
                if not part.rstrip().endswith("?"):
                    yield _PREAMBLE.sub("", part.strip().replace("’", "'"))
