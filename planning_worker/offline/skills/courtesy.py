"""Greetings, thanks, goodbyes and questions about the assistant itself: answered at once, without a step."""

import re

from planning_worker.offline.reading import Reading, Scene

_ABILITIES = (
    "I can do arithmetic, convert units, tell times and time differences, count days and find dates, read web pages, "
    "and remember and recall what you tell me."
)
_ANSWERS = [
    (
        r"(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day))(?: (?:there|again|"
        r"all|everyone|perdure))?",
        f"Hello! {_ABILITIES}",
    ),
    (
        r"(?:many |ok |okay |great |perfect |no )?(?:thanks|thank you|thx|cheers|ta)(?: (?:a lot|so much|"
        r"very much|again|"
        r"a million|for (?:the|your) help|for that|perdure))?(?:,? (?:that's|that is) (?:all|it|great|perfect))?",
        "You're welcome.",
    ),
    (r"(?:good)?bye(?: bye| now)?|see you(?: later| soon)?|good night|cya", "Goodbye."),
    (r"ok(?:ay)?|great|cool|nice|perfect|awesome|got it|i see|alright|very good|well done|wow", "Good."),
    (r"how are you(?: doing)?(?: today)?|how's it going|how do you do", f"I'm running well, thank you. {_ABILITIES}"),
    (
        r"(?:help|what can you do(?: for me)?|what are you able to do|how can you help(?: me)?|who are you|"
        r"what are you|"
        r"what do you do|what's your name|what is your name)",
        f"I'm Perdure, running offline by rules, without a language model. {_ABILITIES}",
    ),
]


_PREAMBLE = re.compile(
    r"(?:i have |i'd like |i would like |i want |i need |give me |do )?(?:two|three|four|five|a few|a "
    r"couple of|several|some|\d) (?:quick |more |other |small )?(?:things|questions|tasks|requests)"
    r"(?: for you)?|(?:i have )?(?:a )?(?:quick |another )?question(?: for you)?"
)


_CORE = frozenset("hi hello hey morning afternoon evening thank thanks cheers ta sorry greetings day".split())
_KIND = _CORE | frozenset(
    """good there again all everyone team folks mate dear sir madam perdure you kindly so very much a lot many in
    advance to bother for your help that the pal buddy friend my i appreciate it ever lovely and happy monday
    friday""".split()
)


def read(text: str, scene: Scene) -> Reading | None:
    """Greetings, thanks and questions about the assistant itself."""
    phrase = re.sub(r"[\s.,!?…:)]+$", "", text.strip().lower().replace("’", "'")).replace("please", "").strip()
    for pattern, answer in _ANSWERS:
        if re.fullmatch(pattern, phrase):
            return Reading("courtesy", said=answer)
    tokens = set(re.findall(r"[a-z']+", phrase))
    if tokens and tokens <= _KIND and tokens & _CORE and "?" not in text:
        return Reading("courtesy", said="You're welcome." if tokens & {"thank", "thanks", "cheers"} else "Hello!")
    return Reading("courtesy") if _PREAMBLE.fullmatch(phrase) else None
