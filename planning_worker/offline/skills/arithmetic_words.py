"""Arithmetic in words → an expression that `calculate` takes, by rewriting; what is left over is not arithmetic."""

import ast
import re
from collections.abc import Iterator

from planning_worker.offline.skills.arithmetic_forms import COMMA, CONTINUED, FORMS, FUNCTIONS, REWRITES, THAT, A
from services.phrases import numbers, units, words

_LEAD = re.compile(
    r"^(?:what (?:number|result|value|amount|total)? ?(?:do|would|will) (?:you|i|we) (?:get|have)(?: "
    r"left)? (?:if|when) (?:you|i|we)|"
    r"what(?:'s| is| are| was| does| do| would| will)?(?: you| i| we)?(?: be| get| have)?(?: (?:when|"
    r"if) (?:you|i|we) )?|"
    r"how (?:much|many)(?: \w+)? (?:do|would|will) (?:you|i|we) (?:get|have)(?: left)? (?:if|when) (?:you|i|we)|"
    r"how (?:much|many)(?: \w+)? (?:is|are|remains?|will be|would be) (?:left|remaining|there)?(?: "
    r"over)? ?(?:if|when|after) (?:you|i|we)|"
    r"how (?:much|many)(?: is| are| does| do| would)?(?: (?:there )?(?:if|when) (?:you|i|we))?|"
    r"if (?:you|i|we)|(?:calculate|calculating|computing|compute|evaluate|solve|determine|find|figure "
    r"out|work out|do|get|take|what about|the value of|"
    r"the result of|the answer (?:to|of)))\s+"
)
_TAIL = re.compile(
    r"\s*(?:=|\?|[,-]? ?(?:so )?(?:how (?:much|many)|what)(?:'s| is| would| does)? § ?(?:be|come to|"
    r"make)?|equals?(?: to)?(?: what)?|come to|make|makes|exactly|in total|altogether|total|what (?:do|"
    r"would|will) "
    r"(?:you|i|we) (?:get|have)|what (?:is|'s) (?:it|that|the result)|is (?:how much|what)|is|are|be|"
    r"from it|to it|on top|of it)$"
)
# Words around a sum that add nothing to it; dropped only when what is left is a sum without them.
_BEFORE = frozenset(
    """what what's is are was how much many would will do does did can could the result value answer you i we get have
    be if when and then so now out work figure calculate compute maths math number quick say to me tell give for
    it's its it a an got make makes equals please take just need want know there let's solve do find""".split()
)
_BEHIND = frozenset(
    """is are be equal equals to come comes out at make makes get give gives total altogether all in what what's how
    much many do does i you we it left have the result answer then would will amount amounts now please end up
    with am remaining remain remains over there this thing number value exactly work works , -""".split()
)
_NO_THINGS = frozenset(
    ["times", "plus", "minus", "less", "halves", "thirds", "fourths", "percents", "decimals", "places"]
)
_SIGNS = {"$": "dol", "€": "eur", "£": "pou", "¥": "yen", "₹": "rup"}
_MONEY = r"dollars?|euros?|quid|pounds?|bucks?|usd|eur|gbp|cents?|yen|rupees?"
_REFERENCE = re.compile(
    r"\b(?:(?:the|that|this)(?: (?:same|previous|last|above|final))? (?:result|answer|sum|total|"
    r"difference|product|quotient|"
    r"number|value|outcome|figure|amount|average)(?: of that)?|what (?:you|i|we) (?:get|got|have)|that|"
    r"it|this|them both)\b(?!\s*\d)(?! (?:of|between|among|when|if)\b)"
)
# "is 15% of 200 more than 25?" wants yes or no, not a sum.
_COMPARES = re.compile(
    r"(?:is|are|was|were)\b.*\b(?:more|less|fewer|bigger|greater|smaller|larger|equal|higher|lower)\b"
)
_QUANTITY = re.compile(rf"\d|{THAT}|\b(?:double|triple|treble|quadruple|halve|square|cube|root|negate)")
_FRACTIONS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
              "eighth": 8, "ninth": 9, "tenth": 10, "twentieth": 20, "hundredth": 100}  # fmt: skip
_TIMES = {"double": 2, "twice": 2, "triple": 3, "treble": 3, "thrice": 3, "quadruple": 4}

_COMPILED_REWRITES = [(re.compile(pattern), symbol) for pattern, symbol in REWRITES]
_COMPILED_FORMS = [(re.compile(pattern), template) for pattern, template in FORMS]


def plain(text: str) -> str:
    """`text` folded, numbers as digits, money signs gone (one currency only), references as one sign."""
    phrase = numbers.to_digits(words.fold(text))
    phrase = re.sub(
        r"(?<![\w.])(\d+(?:\.\d+)?)(k|mn|mil|bn)\b",
        lambda found: numbers.show(float(found[1]) * {"k": 1e3, "bn": 1e9}.get(found[2], 1e6)),
        phrase,
    )
    said = {word[:3] for word in re.findall(rf"\d (?:{_MONEY})\b", phrase) for word in word.split()[1:]}
    signs = {_SIGNS[sign] for sign in re.findall(r"[$€£¥₹](?=\s*\d)", phrase)}
    if len(said | signs) > 1:
        return phrase  # two currencies are not added up
    phrase = re.sub(r"[$€£¥₹](?=\s*\d)", "", phrase) if len(set(re.findall(r"[$€£¥₹]", phrase))) == 1 else phrase
    if (
        set(re.findall(rf"\d (?:{_MONEY})\b", phrase))
        and len({m[:3] for m in re.findall(rf"\d ({_MONEY})\b", phrase)}) == 1
    ):
        phrase = re.sub(rf"(?<=\d) (?:{_MONEY})\b", "", phrase)
    for sign, symbol in {"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "**": "^", "√": "sqrt "}.items():
        phrase = phrase.replace(sign, symbol)
    return re.sub(r"(?<=[\d)])\s*x\s*(?=[\d(])", " * ", phrase)


def expression(phrase: str) -> str | None:
    """The expression that `phrase` (from `plain`) says, with § for "that"; None when words are left over."""
    if re.fullmatch(r"[\d\s./-]+", phrase) and re.search(r"\d{4}-\d\d?-\d\d?|\d+/\d+/\d+|\d{3}-\d{4}", phrase):
        return None  # a date or a telephone number, not a subtraction
    if _COMPARES.match(phrase) or re.search(r"[?!;]\s*\S|\.\s+\S", phrase):
        return None
    text = _trimmed(_REFERENCE.sub(THAT, phrase))
    if not _QUANTITY.search(text):
        return None
    tried = [text, _trimmed(_LEAD.sub("", text)), _trimmed(_LEAD.sub("", _LEAD.sub("", text))), _without_thing(text)]
    for one in dict.fromkeys([*tried, *_peeled(text), *_peeled(_without_thing(text))]):
        if found := _formed(_symbols(one)):
            return found
    return None


def _peeled(text: str) -> Iterator[str]:
    """`text` without ever more of the words at its ends that add nothing to a sum."""
    tokens = text.split()
    head = next((n for n, token in enumerate(tokens) if token.strip(",:") not in _BEFORE), len(tokens))
    tail = next((n for n, token in enumerate(reversed(tokens)) if token.strip(",:?-") not in _BEHIND), len(tokens))
    for dropped in range(1, min(head, 10) + min(tail, 10) + 1):
        for start in range(min(dropped, head), max(-1, dropped - tail - 1), -1):
            kept = tokens[start : len(tokens) - (dropped - start)]
            if kept:
                yield " ".join(kept).strip(" ,:?-")


def _without_thing(text: str) -> str:
    """ "36 eggs minus 5": without the name of the thing that is counted, when it is only one and no unit."""
    named = re.findall(r"(?<=\d )([a-z]{3,}s|people|children)\b", text)
    if len(set(named)) != 1 or units.find(named[0]) or named[0] in _NO_THINGS:
        return text
    return _trimmed(re.sub(rf"(?: more| other)? {named[0]}\b", "", text))


def _trimmed(text: str) -> str:
    text = text.strip(" ,.?!=:")
    while (shorter := _TAIL.sub("", text).strip(" ,.?!=:")) != text:
        text = shorter
    return text


def _symbols(text: str) -> str:
    text = re.sub(r"^the (?=\d)", "", text)
    for _ in range(6):
        before = text
        text = _multiples(_fractions(text))
        for pattern, symbol in _COMPILED_REWRITES:
            text = pattern.sub(symbol, text)
        if text == before:
            break
    return " ".join(text.split())


def _fractions(text: str) -> str:
    """ "a third of 90" → "1/3 of 90"; "half that" → "1/2 of that"."""
    names = "|".join(_FRACTIONS)
    pattern = rf"\b(?:(?P<count>\d+|an?|one)[ -])?(?:the )?(?P<name>{names})s? (?:of )?(?={A})"

    def fraction(found: re.Match[str]) -> str:
        count = found["count"] or "1"
        return f"{count if count.isdigit() else 1}/{_FRACTIONS[found['name']]} of "

    return re.sub(pattern, fraction, text)


def _multiples(text: str) -> str:
    for word, factor in _TIMES.items():
        text = re.sub(rf"\b{word} (?:of )?({A})", rf"\1 * {factor}", text)
        text = re.sub(rf"^{word}$", f"{THAT} * {factor}", text)
    return text


def _formed(text: str) -> str | None:
    if _is_expression(text):
        return text
    for pattern, template in _COMPILED_FORMS:
        found = pattern.fullmatch(text)
        made = _filled(template, found) if found else None
        if made and _is_expression(made):
            return made
    return None


def _filled(template: str, found: re.Match[str]) -> str | None:
    parts = {name: value.strip() for name, value in found.groupdict().items() if value}
    if "list" in template:
        items = re.split(COMMA, parts.get("x") or parts["y"])
        return (
            template.replace("{list+}", " + ".join(items))
            .replace("{list*}", " * ".join(items))
            .replace("{list}", ", ".join(items))
        )
    parts = {name: (_formed(value) if template != CONTINUED else None) or value for name, value in parts.items()}
    for name, value in parts.items():
        loose = re.search(r"[-+*/]|of", value.lstrip("-")) and not re.fullmatch(A, value) and value != template
        bare = template == CONTINUED or (template in {"abs({x} - {y})"} and name == "x")
        template = template.replace(f"{{{name}}}", f"({value})" if loose and not bare else value)
    return template


def _is_expression(text: str) -> bool:
    """Nothing but numbers, operators, functions and "of" after a percentage or fraction, and at least one operation."""
    if not re.fullmatch(rf"(?:{THAT}|\d+(?:\.\d+)?|\.\d+|pi\b|(?:{FUNCTIONS})(?=\()|\bof\b|[-+*/^%(),!]|\s)+", text):
        return False
    python = re.sub(r"(?<=[\d)])%\s*of\b|(?<=\d/\d) of\b|(?<=\d/\d\d) of\b|(?<=\d/\d\d\d) of\b", " *", text)
    if "of" in python:
        return False
    python = re.sub(rf"(?<=[\d)])\s*%(?!\s*[\d({THAT}])", "", python)
    python = re.sub(r"(?<=[\d)])!", "", python).replace(THAT, "(1)").replace("^", "**")
    try:
        tree = ast.parse(python.strip(), mode="eval")
    except SyntaxError:
        return False
    if isinstance(tree.body, ast.Tuple):
        return False  # "10 + 5, 3 * 7" is two sums
    operations = (ast.BinOp, ast.Call)
    return "!" in text or any(isinstance(node, operations) for node in ast.walk(tree)) or text == f"-{THAT}"
