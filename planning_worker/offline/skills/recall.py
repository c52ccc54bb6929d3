"""What the user told earlier: from this conversation if it was said here, else from long-term memory."""

import re

from planning_worker.offline import clauses
from planning_worker.offline.reading import Draft, Reading, Scene
from planning_worker.offline.skills import statements
from services.phrases import words

_SAID = (
    r"(?:say|said|tell you|told you|mention|mentioned|tell|told|write|wrote|ask you to (?:remember|"
    r"keep|note)|asked you to (?:remember|keep|note)|teach you|note|noted)"
)
_ABOUT = (
    r"(?: (?:to you|you|before|earlier|previously|already|last time|yesterday|once))*(?: (?:about|of|"
    r"on|regarding|concerning|for))? (?P<topic>.+)"
)
_TOLD = clauses.wordings(
    [
        rf"what (?:(?:did|have|had) (?:i|we)(?: ever)?|i(?:'ve| have)?) {_SAID}{_ABOUT}",
        rf"(?:(?:did|have) (?:i|we)(?: ever)?) {_SAID}(?: you)?(?: anything)?{_ABOUT}",
        r"(?:do|can|did) you (?:still )?(?:remember|recall|know)(?: (?:about|what|when|where|who|which|how|"
        r"if|whether|that))?(?: (?:i|we) (?:said|told you|mentioned) (?:about )?)? ?(?P<topic>.+)",
        r"remind me(?! (?:to|at|in|tomorrow|tonight|later|every)\b)(?: (?:again|about|of|what|when|where|"
        r"who|which|how))*(?: (?:i|we) (?:said|told you|mentioned|wrote)(?: about| of)?)? (?P<topic>.+)",
        r"(?:recall|look up in (?:your )?memory|search (?:your |my )?memor(?:y|ies)(?: for| about)?|check "
        r"(?:your |my )?memory (?:for|about))(?: what (?:i|we) (?:said|told you|mentioned) about)? "
        r"(?P<topic>.+)",
        r"(?:is there )?(?:anything|something|what) (?:that )?(?:you (?:know|remember|have|recall)|(?:i|"
        r"we)(?:'ve| have)? (?:said|told you|mentioned))(?: (?:about|on|of))? (?P<topic>.+)",
        r"(?:have|did) (?:i|we) ever (?:mention(?:ed)?|sa(?:y|id)|told?|tell) (?:you )?(?:about |of )?(?P<topic>.+)",
        r"what (?:have|do) you (?:got|have)(?: (?:noted|saved|stored|written down|on file|down))?(?: "
        r"(?:about|on|for|regarding))? (?P<topic>.+)",
        r"what(?:'s| is| do you have)? in your memory (?:about|on|of) (?P<topic>.+)",
        r"what do you (?:know|remember|recall|have)(?: (?:about|of|on))? (?P<topic>.+)",
        r"(?:what|anything) (?:did|have) you (?:remember|note|store|save|keep)(?:ed|d)? (?:about|on|of) (?P<topic>.+)",
    ]
)
_MINE = re.compile(
    r"(?:(?:what|who|when|where|which|whose|how|how old|how many|how much(?! (?:do|did|will|would) i "
    r"(?:pay|owe|get|save|have left))|how tall|what time|what day|what colou?r|what kind of \w+|what "
    r"sort of \w+|what type of \w+)(?:'s| is| are| was| were| did| do| does| will| has| have| should| "
    r"can| am)?(?: the)? .*\b(?:my|i|our|we|me|mine)\b.*"
    r"|(?:what|which) .*\b(?:do|did|am|have|was) i\b.*|(?:do|did|am|have|was|is|are) (?:i|my|we|"
    r"our)\b.*|(?:who|where|what|how old) am i.*"
    r"|my [\w' -]+)",
    re.IGNORECASE,
)
_NOT_MEMORY = re.compile(
    r"\b(?:weather|forecast|news|should i|can i|could i|ip address|do i need|will i|would i|how (?:do|"
    r"can|would|could|should) (?:i|we)(?! (?:take|like|prefer|want|drink|eat|spell)\b)|"
    r"email|e-mail|send|book|order|buy|write|translate|joke|poem)\b|\bhelp me\b|\bif (?:i|we|my)\b",
    re.IGNORECASE,
)


_ALMOST_ALL = 0.75
_ASKS = re.compile(r"(?:what|who|when|where|which|whose|how|does|do|did|is|are|was|has|can)(?:'s)?\b", re.IGNORECASE)


def read(text: str, scene: Scene) -> Reading | None:
    """A question about what the user told."""
    phrase = clauses.bare(text)
    if clauses.asks_again(phrase):
        return None
    for pattern in _TOLD:
        found = pattern.fullmatch(phrase)
        if found and "http" not in phrase:
            return _recalled(found["topic"], phrase, scene)
    if (
        _MINE.fullmatch(phrase)
        and not _NOT_MEMORY.search(phrase)
        and ("?" in text or not phrase.lower().startswith("my ") or _remembered_before(scene))
    ):
        return _recalled(phrase, phrase, scene)
    short = text.rstrip().endswith("?") and len(phrase.split()) <= 5
    if (short or _ASKS.match(phrase)) and not _NOT_MEMORY.search(phrase) and _is_known(phrase, scene):
        return _recalled(phrase, phrase, scene)
    return None


def _is_known(question: str, scene: Scene) -> bool:
    """Does something that was told, here or earlier, hold all that `question` is about?"""
    wanted = words.content(question)
    told = [turn.text for turn in scene.request.turns if turn.role == "user" and not turn.text.rstrip().endswith("?")]
    told += [text for text in scene.request.memories if not text.startswith("Asked:")]
    return any(
        len(wanted & words.content(fact)) >= _ALMOST_ALL * len(wanted) > 0 and statements.states(fact)
        for fact in statements.facts(told)
    )


def _remembered_before(scene: Scene) -> bool:
    return bool(scene.last and scene.last.skill in {"remembering", "recall"})


def _recalled(topic: str, question: str, scene: Scene) -> Reading:
    said_here = [turn.text for turn in scene.request.turns if turn.role == "user"]
    said_here += [str(reading.topic["fact"]) for reading in scene.before if reading and "fact" in reading.topic]
    answer = statements.answering(topic, said_here)
    if answer:
        return Reading("recall", said=answer)
    query = re.sub(r"^(?:is|are|was|the)\s+", "", topic.strip(" ?.!"))
    after = scene.steps_of("remember")
    step = Draft(scene.step_id(), "search_memory", {"query": query}, question, after=after)
    return Reading("recall", (step,))
