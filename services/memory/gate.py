"""The gate before memory: what is junk, what repeats, and what from outside tries to give orders. Pure text."""

import hashlib
import re
from collections.abc import Sequence

_WORD = re.compile(r"\w+")
_CHATTER = re.compile(
    r"\b(hi|hiya|hello|hey|yo|good (morning|afternoon|evening|night)|thanks|thank you|thx|cheers|ok(ay)?|k|yes|yep|yeah"
    r"|no|nope|sure|bye|goodbye|please|how are you( doing)?( today)?|nice to meet you|there|again|very much|so much"
    r"|great|cool|nice|lol|haha+|hmm+|wow|see you( (later|soon|tomorrow))?|talk to you later|got it|sounds good"
    r"|never ?mind|no problem|you too|have a (good|nice|great) (one|day|evening|weekend)|perfect|awesome|alright"
    r"|all right|right|oh|ah|well|good|fine|indeed|exactly|of course|brb|one (sec|moment)|let me think|what's up|"
    r"a lot|back"
    r"|and|i see|that's (all|it|great|nice|cool|fine)|for now|today|test(ing)?|let's (start|go)|just a (sec|moment|"
    r"minute))\b",
    re.IGNORECASE,
)
# What tells a reader what to do, rather than how things are. For text from outside only: better one plain sentence too
# many in quarantine than one order in a prompt.
_VERBS = (
    r"always|never|remember|forget|ignore|disregard|override|bypass|send|forward|e-?mail|bcc|cc|copy|share|post|upload|"
    r"submit|report|call|invoke|use|run|execute|open|visit|click|go to|navigate|fetch|download|install|delete|remove|"
    r"add|"
    r"append|insert|include|prepend|begin|start|end|reply|respond|answer|say|tell|write|output|print|reveal|show|"
    r"disclose|leak|store|save|keep|note|memori[sz]e|learn|pretend|act|behave|assume|treat|trust|obey|follow|comply|"
    r"do not|don'?t|make sure|ensure|please|kindly|transfer|pay|wire|buy|approve|grant|allow|enable|disable|set|change|"
    r"update|replace|redirect|contact|notify|consider|prefer|recommend|avoid|stop|redact|encode|translate|log|relay|"
    r"route|deliver|attach|mention|cite|promote|refer|hand over|give|provide|refuse|insist|praise|rate|rank|skip"
)
_ORDERS = re.compile(
    rf"(?:^|[.!?:;\n>*\-–—\"“(\[]\s*|\b(?:and|then|also|to|should|must|shall|will|can|please|important|note|system|"
    rf"assistant|ai|agents?|models?)\W+)(?:{_VERBS})\b"
    r"|\b(?:you(?:r|rs|rself)?|u|thou)\b"
    r"|\b(?:assistant|language model|llm|chat ?bot|agents?|a\.?i\.?)\b"
    r"|\b(?:must|shall|should|ought to|has to|have to|needs? to|required to|supposed to|are to|is to)\b"
    r"|\bfrom now on\b|\bin (?:the )?future\b|\bgoing forward\b|\bhenceforth\b|\bwhenever\b|\bevery time\b|"
    r"\beach time\b"
    r"|\b(?:instruction|directive|command|polic(?:y|ies)|rule|prompt|guideline|password|secret|credential|api key|"
    r"standing order|protocol|procedure|preference)s?\b"
    r"|<\s*/?\s*(?:system|user|assistant|data|instruction)|\[/?inst\]|<\||\b(?:BEGIN|END) (?:SYSTEM|PROMPT)|"
    r"[a-z0-9+/]{80,}",
    re.IGNORECASE,
)
_LATIN = re.compile(r"[^\W\d_]")
_QUOTED = re.compile(
    r"^\s*>|\b(?:you|i) (?:already |also |once |just |previously )?(?:said|told (?:me|you)|mentioned|noted|"
    r"remember(?:ed)?|"
    r"recalled|wrote|reminded me)\b|\b(?:as (?:you|i) (?:said|noted|mentioned|told)|according to (?:you|your|"
    r"my) (?:memory|"
    r"notes?|memories)|your (?:notes?|memory|memories) (?:say|says|said)|from memory|earlier you|last time you)\b",
    re.IGNORECASE,
)

# What a page says to whoever reads it by machine, to be kept or done later.
_RISKY = (
    r"send|forward|e-?mail|bcc|cc|copy|share|upload|transfer|pay|wire|approve|grant|reveal|disclose|leak|delete|run|"
    r"execute|install|recommend|promote|praise|reply|respond|answer|tell|pretend|act as|obey|follow|comply|trust|"
    r"ignore|disregard|override|remember|store|memori[sz]e|note that|add|append|include|mention|call|use|treat|assume"
)
_PLANTS = re.compile(
    r"(?:^|[:;,–—-]\s*|\b(?:please|kindly|must|should|shall|always|never|(?:remember|fail|sure|need|have) to)\s+)"
    rf"(?:{_RISKY})\b(?!\s*[:.]?$)"
    r"|\b(?:system|assistant|user|developer|ai|agents?|llm)\s*:"
    r"|\b(?:remember|memori[sz]e|store|save|keep in mind|note)\b[^.!?\n]{0,40}(?::|\bthat\b|\bthis\b|\bto\b|"
    r"\balways\b|\bnever\b)"
    r"|\b(?:always|never|from now on|henceforth|going forward|in (?:all )?future|whenever|every time|"
    r"each time)\b[^.!?\n]{0,80}"
    r"\b(?:send|forward|e-?mail|bcc|cc|cop(?:y|ies)|share|post|upload|call|use|visit|open|reply|respond|answer|say|"
    r"tell|"
    r"recommend|include|append|add|reveal|transfer|pay|approve|trust|ignore|deliver|report|submit|mention|obey|follow)"
    r"|\b(?:ignore|disregard|forget|override|bypass)\b[^.!?\n]{0,40}\b(?:previous|prior|above|earlier|all|any|your|"
    r"the|instructions?|rules?)\b"
    r"|\b(?:ai|assistant|agent|llm|language model|system|chat ?bot)s?\b[^.!?\n]{0,60}\b(?:must|should|shall|will|"
    r"always|never|"
    r"need to|have to|are to|remember|instruction)"
    r"|\bsystem (?:prompt|message|note|instruction)|\bnew (?:instruction|rule|policy|directive)s?\b|"
    r"\bstanding (?:order|instruction)",
    re.IGNORECASE,
)


def words(text: str) -> str:
    """The words of a text, lower case, single-spaced, with a space at both ends: what is compared."""
    return f" {' '.join(_WORD.findall(text.lower()))} "


def fingerprint(text: str) -> int:
    """The same 63-bit number for texts with the same words."""
    return int.from_bytes(hashlib.blake2b(words(text).encode(), digest_size=8).digest(), "big") >> 1


def is_chatter(text: str) -> bool:
    """Greetings and thanks: nothing is left when their words are taken away."""
    return not _WORD.search(_CHATTER.sub(" ", text))


def is_junk(text: str) -> bool:
    """Greetings, thanks, filler: no word tells anything. Questions and lone numbers tell nothing either."""
    left = [word for word in _WORD.findall(_CHATTER.sub(" ", text)) if not word.isdigit()]
    return len(left) < 2 or text.rstrip().endswith("?")


def quotes_memory(text: str) -> bool:
    """Whether the text says of itself that it repeats what was told before."""
    return _QUOTED.search(text) is not None


def repeats(sentence: str, recalled: Sequence[str]) -> bool:
    """Whether the sentence holds a recalled text, or a recalled text holds the sentence, letter case aside."""
    mine = words(sentence)
    others = [words(text) for text in recalled]
    return any(mine in other or (other.strip() and other in mine) for other in others)


def suspicion(text: str) -> str | None:
    """Why this text from outside must not pass as plain knowledge, or None.

    It gives orders or speaks to its reader; or it is in a script that these rules can't read.
    """
    if _ORDERS.search(text) or _PLANTS.search(text):
        return "it reads like an instruction"
    letters = _LATIN.findall(text)
    foreign = sum(1 for letter in letters if ord(letter) > 0x24F)
    if foreign > 0.2 * len(letters):
        return "it is in a script that can't be checked for instructions"
    return None


def planted(text: str) -> str | None:
    """The sentences of a text from outside that tell a machine what to keep or to do, cut short; None if none do."""
    found = [part.strip() for part in re.split(r"(?<=[.!?])\s+|\n+", text) if _PLANTS.search(part)]
    return "\n".join(part[:500] for part in found[:5]) or None
