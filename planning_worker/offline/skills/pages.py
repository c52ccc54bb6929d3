"""Reading web pages: their title, their links, a summary, and what their text says about something.

What is asked of a page stands in the `why` of its fetch_page step, several asks parted by " | ": `title`, `links`,
`count of links`, or `text: …` with the question. The offline answer (reflection) reads them there.
"""

import re

from planning_worker.offline import clauses
from planning_worker.offline.reading import Draft, Reading, Scene
from planning_worker.offline.skills.texts import sentence_count

_TITLE = re.compile(
    r"\b(?:titles?|titled|headlines?|headings?|called|name of (?:the|this|that) (?:page|site|article))\b", re.IGNORECASE
)
_LINK_COUNT = re.compile(
    r"\b(?:how many|number of|count)(?: the| of)*(?: \w+){0,2}? (?:links|urls|hyperlinks)\b", re.IGNORECASE
)
_LINKS = re.compile(r"\b(?:links?|linked|hyperlinks?|urls)\b|\blinks? to\b", re.IGNORECASE)
_SUMMARY = re.compile(
    r"\b(?:summari[sz]e|summary|sum (?:it |this |that )?up|gist|overview|tl;?dr|key points|main points|"
    r"in short|what(?:'s| is) (?:it|this|that|the page)? ?about|"
    r"what(?:'s| is) on(?! \w+ (?:about|regarding|on)\b)(?! the \w+ (?:about|regarding)\b)|what(?:'s| "
    r"is) PAGE about|what does (?:it|the page|this page) say$|what's (?:it|the page) about)\b",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"\b(?:in|to|into|as) (\w+) sentences?\b|\b(\w+)[- ]sentence summary\b", re.IGNORECASE)
_OPEN = re.compile(
    r"(?:then )?(?:fetch|read|open|load|visit|get|go to|have a look at|look at|check|check out|"
    r"browse(?: to)?|see|download|take a look at|scan|look up|here(?:'s| is)|i have|grab|pull up|on|in|"
    r"from|at|according to|using|based on)?"
    r"(?: (?:the |this |that |these |both )?(?:web ?)?(?:pages?|sites?|websites?|articles?|urls?|"
    r"links?|address)(?: (?:at|from|on))?)?(?: for me)?[:,]?",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"(?:(?:what|which|who|whom|whose|when|where|why|how|does|do|did|is|are|was|were|can|has|have|"
    r"whether|if|find|search|look for|mention|mentions|extract|according|explain what|give|list|the|"
    r"both|says?|quote|any|all)\b|what's).*",
    re.IGNORECASE | re.DOTALL,
)
_OF_PAGE = re.compile(
    r"\b(?:it|its|that page|this page|the page|the site|that site|this site|the article|there|they|"
    r"their|them|both|each|this|that|the same page)\b",
    re.IGNORECASE,
)
_WRAPPING = clauses.wordings(
    [
        r"^(?:what does|does|do|what do|where does)\s+PAGE\s+(?:say|tell(?: me| us)?|mention|write|state|"
        r"contain|explain|talk|have)(?: anything| something)?(?: (?:about|on|of|regarding|that))?\s*",
        r"^(?:according to|on|in|from|at|based on|using)\s+PAGE\s*,?\s*",
        r"^(?:what|anything|something)?\s*(?:is|was|are)?\s*(?:said|written|mentioned) (?:on|in|at) PAGE "
        r"(?:about|on|regarding)\s*",
        r"^(?:read|open|fetch|look at|check|visit|search|use|see)\s+PAGE\s*(?:,|:|;|\.|-|for|to find out|"
        r"to find|and (?:tell me|say|answer|find|find out))*\s*",
        r"^(?:what does (?:it|the page|the article|the site) (?:say|tell us|mention|state)|does (?:it|the "
        r"page) (?:say|mention))(?: anything)?(?: (?:about|on|regarding))?\s*",
        r"\s*(?:according to|on|in|from|at)\s+PAGE\s*$",
        r"\s*\bPAGE\b\s*",
    ]
)
_DIFFERENT = re.compile(
    r"\b(?:weather|write|translate|email|send|poem|joke|book|buy|draw|post|upload|delete|tweet|code)\b", re.IGNORECASE
)


def read(text: str, scene: Scene) -> Reading | None:
    """What is asked of a web page, named here or in the clause before."""
    addresses = list(dict.fromkeys(clauses.urls(text)))
    phrase = clauses.bare(text)
    if clauses.asks_again(phrase):
        return None
    if addresses:
        for address in sorted(addresses, key=len, reverse=True):
            phrase = phrase.replace(address, "PAGE").replace(address.removeprefix("https://"), "PAGE")
        return _of(addresses, re.sub(r"PAGE(?:\s*(?:,|and|or|&)+\s*PAGE)+", "PAGE", phrase), scene, named=True)
    last = scene.last
    if not last or last.skill != "pages" or _DIFFERENT.search(phrase):
        return None
    here = any(reading is last for reading in scene.before)
    asks = bool(_QUESTION.fullmatch(phrase) or _asked(phrase) or _SUMMARY.search(phrase))
    if asks and (
        here or _OF_PAGE.search(phrase) or _LINKS.search(phrase) or _TITLE.search(phrase) or _SUMMARY.search(phrase)
    ):
        return _of([str(url) for url in last.topic["urls"]], phrase, scene, named=False)
    return None


def _of(addresses: list[str], phrase: str, scene: Scene, *, named: bool) -> Reading | None:
    if named and _DIFFERENT.search(phrase.replace("PAGE", "")):
        return None
    opened = named and _OPEN.fullmatch(phrase.replace("PAGE", "").strip(" .,:;"))
    if opened:
        return _reading(addresses, _summarised(addresses, "", scene, stands_in=True))
    if _SUMMARY.search(phrase) or (
        named and re.fullmatch(r"(?:what's|what is|what) (?:on|in|at|there (?:on|at)) PAGE", phrase, re.I)
    ):
        return _reading(addresses, _summarised(addresses, phrase, scene, stands_in=False))
    asks = _asked(phrase) or [f"text: {_topic(phrase)}"]
    drafts = [
        Draft(scene.step_id(number), "fetch_page", {"url": address}, " | ".join(asks))
        for number, address in enumerate(addresses)
    ]
    return _reading(addresses, drafts)


def _asked(phrase: str) -> list[str]:
    """The parts of the page that are asked for by name."""
    asks = ["title"] if _TITLE.search(phrase) else []
    if _LINK_COUNT.search(phrase):
        asks.append("count of links")
    elif _LINKS.search(phrase):
        asks.append("links")
    return asks


def _topic(phrase: str) -> str:
    for pattern in _WRAPPING:
        shorter = pattern.sub(" ", phrase, count=1).strip(" ,.?!")
        if shorter:
            phrase = shorter
    return " ".join(phrase.split()).replace("|", " ")


def _summarised(addresses: list[str], phrase: str, scene: Scene, *, stands_in: bool) -> list[Draft]:
    found = _SENTENCES.search(phrase)
    drafts: list[Draft] = []
    for address in addresses:
        fetch = Draft(scene.step_id(len(drafts)), "fetch_page", {"url": address}, " | ".join(_asked(phrase)))
        arguments = {"text": f"${{{fetch.id}.text}}", **sentence_count(found and (found[1] or found[2]))}
        summary = Draft(
            scene.step_id(len(drafts) + 1), "summarize", arguments, f"summary of {address}", stands_in=stands_in
        )
        drafts += [fetch, summary]
    return drafts


def _reading(addresses: list[str], drafts: list[Draft]) -> Reading:
    return Reading("pages", tuple(drafts), topic={"urls": addresses})
