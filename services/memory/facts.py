"""What a sentence is a fact about, read by rules: a later fact about the same thing takes the place of the earlier.

"My dentist is Dr Brandt" is about "my dentist"; "I live in Oslo" about "i live". Sentences without such a form are
kept as they are, and contradict nothing.
"""

import re

_LEAD = re.compile(
    r"^(?:(?:well|so|oh|ok(?:ay)?|and|but|by the way|btw|actually|also|fyi|just so you know|for the record|update|"
    r"correction|news|"
    r"i(?:'ve| have)? (?:just )?(?:changed my mind|moved on)|as of (?:today|now)|from (?:now|today) on|these days|now|"
    r"today|please (?:note|remember)(?: that)?|note(?: that)?|remember(?: that)?|i (?:want|need) you to (?:know|"
    r"remember) that|i think|i guess|"
    r"no|sorry|wait|i meant)\b[\s,:;.!–—-]*)+",
    re.IGNORECASE,
)
_NOW = r"(?:\s+(?:now|currently|actually|still|instead|again|recently|finally|just|already|nowadays|really))*"
_IS = rf"(?:{_NOW}\s+(?:is|are|was|will be|has become|became|changed to|has changed to|moved to)|['’]s)\b{_NOW}"
_MINE = re.compile(rf"^(?P<what>(?:my|our)\s+(?:[\w'’-]+\s+){{0,5}}?[\w'’-]+?){_IS}\s+\S", re.IGNORECASE)
_THE = re.compile(
    rf"^(?P<what>(?:the|[A-Z][\w-]*(?:\s[A-Z][\w-]*)?['’]s)\s+(?:[\w'’-]+\s+){{0,4}}?[\w'’-]+?){_IS}\s+\S"
)
_I_DO = re.compile(
    rf"^(?:i|we)(?:['’](?:m|re|ve|d))?{_NOW}\s+(?:am\s+|are\s+|have\s+)?{_NOW.replace('+', '*', 1)}(?P<verb>live|"
    rf"lived|living|moved|work|"
    r"working|worked|drive|driving|study|studying|prefer|weigh|am called|speak)\b"
    r"(?:\s+(?P<link>in|to|at|for|as|with|near|a|an|the))?",
    re.IGNORECASE,
)
_STEM = {"living": "live", "lived": "live", "moved": "live", "working": "work", "worked": "work", "driving": "drive",
         "studying": "study"}  # fmt: skip
_SMALL = {"new", "current", "present", "latest"}


def about(sentence: str) -> str | None:
    """The key of what the sentence tells, the same for another value of it; None when it has no such form."""
    bare = _LEAD.sub("", sentence.strip().strip("“”\"'"))
    found = _MINE.match(bare) or _THE.match(bare)
    if found:
        words = re.findall(r"\w+", found["what"].lower().replace("favourite", "favorite"))
        return " ".join(word for word in words if word not in _SMALL) or None
    found = _I_DO.match(bare)
    if found:
        verb = _STEM.get(found["verb"].lower(), found["verb"].lower())
        link = (found["link"] or "").lower()
        if verb == "live":
            return "i live" if link in {"in", "to", "at", "near"} else None
        if verb == "work":
            return "i work as" if link in {"as", "a", "an"} else "i work at"
        return f"i {verb}"
    return None
