"""Things to keep: "remember that …" goes to long-term memory."""

import re

from planning_worker.offline import clauses
from planning_worker.offline.reading import Draft, Reading, Scene

_KEEP = re.compile(
    r"(?:(?:please |pls |also |and |hey |hi |ok |then |so |kindly |just |quickly |could you |can you |"
    r"would you |will you |i need you to |i(?:'d| would) like you to |i want you to |perdure )*,?\s*)"
    r"(?:remember|memori[sz]e|don't forget|do not forget|never forget|keep in mind|bear in mind|"
    r"note(?: down)?|take note|make a (?:mental )?note|"
    r"write down|jot down|(?:write|jot|note|take|put) (?:this|that|it) down|store|save|record|keep a note|keep)"
    r"(?: (?:this|the following|the fact|it|in (?:your )?memory|to (?:your )?memory|for (?:me|later|"
    r"next time|the future)|down|please))*"
    r"(?:\s*[:,]\s*|\s+that\s+|\s+of the fact that\s+|\s+of\s+|\s+)(?P<fact>.+)",
    re.IGNORECASE | re.DOTALL,
)
_AFTERTHOUGHT = re.compile(
    r"(?:for (?:future reference|the record|later|your information)|fyi|just so you know)[,:]\s*(?P<fact>.+)",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"(?:what|when|where|who|whom|whose|which|how|why|if|whether|me\b|my .*\?$|anything|something about)\b",
    re.IGNORECASE,
)
_NEEDS_THAT = re.compile(
    r"(?:store|save|record|keep(?! in mind)|write down|jot down|(?:write|jot|note|take|put) (?:this|"
    r"that|it) down|note)\b",
    re.IGNORECASE,
)


def read(text: str, scene: Scene) -> Reading | None:
    """ "Remember that …" in its many wordings."""
    kept = _KEEP.fullmatch(text.strip()) or _KEEP.fullmatch(clauses.bare(text)) or _AFTERTHOUGHT.fullmatch(text.strip())
    if kept and not clauses.asks_again(text) and not _asks_whether(text):
        return _remember(text, kept["fact"], scene)
    return None


def _asks_whether(text: str) -> bool:
    """ "Remember my birthday?" asks; "Could you remember my birthday?" does not."""
    return text.rstrip().endswith("?") and not re.match(
        r"\W*(?:please |and |also )*(?:could|can|would|will) you", text, re.I
    )


def _remember(text: str, fact: str, scene: Scene) -> Reading | None:
    fact = re.sub(r"[\s,]*(?:,? (?:please|ok|okay|thanks|thank you))?[.!?\s]*$", "", fact, flags=re.IGNORECASE).strip()
    loose = _NEEDS_THAT.match(clauses.bare(text)) and not re.search(r"\bthat\b|:|\bis\b|\bare\b|'(?:m|s|re)\b", text)
    if len(fact) < 3 or _QUESTION.match(fact) or loose:
        return None
    quoted = fact.strip('“”"') if fact[:1] in '“"' and fact[-1:] in '”"' else fact
    step = Draft(scene.step_id(), "remember", {"text": _sentence(quoted)}, f"keep: {quoted}")
    return Reading("remembering", (step,), topic={"fact": quoted})


def _sentence(fact: str) -> str:
    return f"{fact[0].upper()}{fact[1:]}" + ("" if fact[-1] in ".!?" else ".")
