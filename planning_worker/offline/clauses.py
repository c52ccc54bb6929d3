"""Cutting a request into clauses: where it may be cut, and what is only politeness around a clause."""

import re
from dataclasses import dataclass

MAX_CUTS = 40
_URL = re.compile(r"(?:https?://|www\.)[^\s\"'<>“”]+", re.IGNORECASE)
_PROTECTED = re.compile(
    r"“[^”]*”|\"[^\"]*\"|‘[^’]*’|(?:(?<=\s)|^)'[^']*'(?=[\s.,?!;]|$)|\([^()]*\)|(?:https?://|www\.)[^\s\"'<>“”]*[\w/]",
    re.IGNORECASE,
)
_CUT = re.compile(
    r"[.?!;]+[\"'”’)]*(?:\s+|$)(?:(?:and then|and|then|also|next|finally|after that|now),?\s+)*|\s*\n+\s*|"
    r"\s*,?\s+(?:and then|and also|and after that|and finally|and|then|also|after that|afterwards|as "
    r"well as|but)\b,?\s+|"
    r",\s+|\s+[–—]\s*|\s+-+\s+(?=[A-Za-z])|:\s+|\s+plus\s+(?=(?:what|how|when|tell|convert|"
    r"remember)\b)|\s+while (?:also )?(?=\w+ing\b)|\s+(?=\(?\d{1,2}\)\s)|"
    r"\s+(?=\d{1,2}\.\s+[A-Za-z0-9])|\s+(?=\([a-e]\)\s)",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:please|kindly|pls|plz|hi|hey|hello|ok(?:ay)?|so|well|now|next|first(?:ly)?|second(?:ly)?|finally|lastly|also|"
    r"and|then|but|after that|afterwards|perdure|"
    r"(?:can|could|would|will) (?:you|u)(?: please)?(?= )|i(?:'d| would) like(?: you)? to(?: know)?|i "
    r"want(?: you)? to(?: know)?|"
    r"i need(?: you)? to(?: know)?|i(?: just)? need|i(?:'m| am) (?:curious|wondering)|i wonder|let me know|do you know|"
    r"(?:tell|give|show|get) (?:me|us)|find out|say|quickly|just|go ahead and|"
    r"be so kind(?: as)? to|right|um+|uh+|erm?|hmm+|yo|oi|sorry|excuse me|mate|actually|basically|real quick|really|"
    r"quick(?: one| (?:maths? )?question| maths?)?|question|hi there|hello there|hey there|good (?:morning|afternoon|"
    r"evening)|dear \w+|hey perdure|i was (?:just )?wondering(?: if| whether)?|any (?:idea|chance)|do "
    r"you happen to know|"
    r"would you (?:mind telling me|be able to(?: tell me)?|happen to know)|can i (?:get|have|know)|could i (?:get|have|"
    r"know)|may i (?:ask|know)|i(?:'m| am) (?:just )?trying to (?:work out|figure out|find out|calculate)|"
    r"help me (?:to )?(?:work out|figure out|find(?: out)?|with|calculate|convert)|let's see|for me|if you don't mind|"
    r"i(?:'d| would) love to know|i (?:wanna|want to|gotta|need to) know|i can't (?:recall|remember)|"
    r"(?:i|we)(?:'d| would| should| will)? (?:be |really |most |very |so )*(?:appreciate it|grateful|"
    r"obliged|glad|happy|love it) "
    r"if you (?:would|could|can)|while you(?:'re| are) at it|thank(?:s| you) and|could you kindly|would you kindly|"
    r"by the way|btw|fyi|for your information|just to let you know|just so you know|to let you know|oh|ah|anyway|"
    r"make sure (?:you|to)(?= (?:remember|note))|tell us|lemme know|gimme)\b(?!['-])[,:!.…]*\s+(?:[-–—]\s+)?",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^(?:[-*•]\s+(?=[A-Za-z])|\(?\d{1,2}[.)]\s+|\(?[a-e]\)\s+)+")
_TAIL = re.compile(
    r"[\s,]*(?:[.?!;,:]+|\b(?:please|pls|thanks|thank you(?: very much)?|for me|for us|if you can|too|"
    r"as well|afterwards|"
    r"again|cheers|ta|thx|tia|thanks in advance|mate|btw|asap|if possible|if you don't mind|by any "
    r"chance|or so|lol|roughly|"
    r"just so you know|(?<!is )fyi|approximately|approx|exactly|(?:do|would) you know|can you (?:tell|help)(?: me)?|"
    r"(?:i'd|i would) like to know|i wonder|just wondering|just curious|give or take|and (?:so on|stuff)|"
    r"(?<!until )(?<!till )(?<!since )(?<!before )then))$",
    re.IGNORECASE,
)


_SECOND_ASK = re.compile(
    r"(?:(?:[,;]\s*|[.!?]\s+|\s)(?:(?:and|then|also)\s+)+(?:please |also |then |can you |could you )*"
    r"(?:tell me|show me|give me|what|what's|when|where|who|how|which|calculate|compute|convert|add|"
    r"multiply|work out|fetch|"
    r"read|open|summari[sz]e|list|remember|find|wait|echo|write|send|translate|remind me|the title|the "
    r"links|its title|its links|how many links|does it|does "
    r"the|is it|is there|are there|do they|did)|"
    r"[.!?]\s+(?:what|what's|how|when|where|who|which|tell me|can|could|please|also|then|convert|calculate|remember)|"
    r",\s*(?:what(?:'s| is| time)|how (?:many|much)|convert|calculate|tell me))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Cut:
    """A place where the request may be cut: the separator from `start` to `end`. then: it says that order matters.

    weak: a comma or an "and", where no sentence ends.
    """

    start: int
    end: int
    then: bool = False
    weak: bool = False


def cuts(text: str) -> list[Cut]:
    """All places where `text` may be cut, with its beginning first and its end last."""
    safe = [span.span() for span in _PROTECTED.finditer(text)]
    found = [match for match in _CUT.finditer(text) if not _inside(match, safe)]
    if not re.search(r"(?:^|\s)1\.\s.*\s2\.\s", text, re.DOTALL):  # "at 6. What time …" is no list
        found = [match for match in found if match[0].strip() or not re.match(r"\d{1,2}\.\s", text[match.end() :])]
    if len(found) > MAX_CUTS:
        found = [match for match in found if match[0][:1] in ".?!;\n"][:MAX_CUTS]
    inner = [
        Cut(
            match.start(),
            match.end(),
            then="then" in match[0].lower() or "after" in match[0].lower(),
            weak=match[0].strip()[:1] not in {".", "?", "!", ";", ""},
        )
        for match in found
    ]
    return [Cut(0, 0), *[cut for cut in inner if cut.end < len(text)], Cut(len(text), len(text))]


def bare(text: str) -> str:
    """`text` with straight apostrophes and without the politeness around it."""
    text = _BULLET.sub("", text.strip().replace("’", "'"))
    text = re.sub(r"\b(what|how|when|where|who|today|tomorrow)s\b", r"\1's", text, flags=re.IGNORECASE)
    while (shorter := _LEAD.sub("", text, count=1) if _LEAD.match(text) else text) != text:
        text = _BULLET.sub("", shorter)
    while (shorter := _TAIL.sub("", text)) != text:
        text = shorter
    return text.strip()


def urls(text: str) -> list[str]:
    """The web addresses in `text`, complete with their scheme, without closing punctuation."""
    found = [match[0].rstrip(".,;:!?)]}'\"") for match in _URL.finditer(text)]
    return [url if url.lower().startswith("http") else f"https://{url}" for url in found]


def wordings(patterns: list[str]) -> list[re.Pattern[str]]:
    """The patterns, compiled to match without regard to case."""
    return [re.compile(pattern, re.IGNORECASE) for pattern in patterns]


def asks_again(text: str) -> bool:
    """Does another ask begin inside `text`, after an "and", a comma or a full stop?"""
    return _SECOND_ASK.search(text) is not None


def _inside(match: re.Match[str], spans: list[tuple[int, int]]) -> bool:
    return any(start < match.end() and match.start() < end for start, end in spans)
