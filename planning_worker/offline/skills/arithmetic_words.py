"""Arithmetic in words → an expression that `calculate` takes, by rewriting; what is left over is not arithmetic."""

# One wording a line reads better than wrapped patterns.
# ruff: noqa: E501

import ast
import re
from collections.abc import Iterator

from services.phrases import numbers, units, words

THAT = "§"
_FUNCTIONS = "sqrt|cbrt|median|gcd|lcm|avg|abs|factorial|round|floor|ceil|log|ln|exp|sin|cos|tan|min|max"
_A = rf"(?:{THAT}|-?\d+(?:\.\d+)?%?|(?:{_FUNCTIONS})?\([^()]*\))"
_X, _Y = r"(?P<x>.+?)", r"(?P<y>.+)"
_LEAD = re.compile(
    r"^(?:what (?:number|result|value|amount|total)? ?(?:do|would|will) (?:you|i|we) (?:get|have)(?: left)? (?:if|when) (?:you|i|we)|"
    r"what(?:'s| is| are| was| does| do| would| will)?(?: you| i| we)?(?: be| get| have)?(?: (?:when|if) (?:you|i|we) )?|"
    r"how (?:much|many)(?: \w+)? (?:do|would|will) (?:you|i|we) (?:get|have)(?: left)? (?:if|when) (?:you|i|we)|"
    r"how (?:much|many)(?: \w+)? (?:is|are|remains?|will be|would be) (?:left|remaining|there)?(?: over)? ?(?:if|when|after) (?:you|i|we)|"
    r"how (?:much|many)(?: is| are| does| do| would)?(?: (?:there )?(?:if|when) (?:you|i|we))?|"
    r"if (?:you|i|we)|(?:calculate|calculating|computing|compute|evaluate|solve|determine|find|figure out|work out|do|get|take|what about|the value of|"
    r"the result of|the answer (?:to|of)))\s+"
)
_TAIL = re.compile(
    r"\s*(?:=|\?|equals?(?: to)?(?: what)?|come to|make|makes|exactly|in total|altogether|total|what (?:do|would|will) "
    r"(?:you|i|we) (?:get|have)|what (?:is|'s) (?:it|that|the result)|is (?:how much|what)|is|are|be|from it|to it|on top|of it)$"
)
# Words around a sum that add nothing to it; dropped only when what is left is a sum without them.
_BEFORE = frozenset(
    """what what's is are was how much many would will do does did can could the result value answer you i we get have
    be if when and then so now out work figure calculate compute maths math number quick say to me tell give for it's
    its it a an got make makes equals please take just need want know there let's solve do find""".split()  # noqa: SIM905
)
_BEHIND = frozenset(
    """is are be equal equals to come comes out at make makes get give gives total altogether all in what what's how much
    many do does i you we it left have the result answer then would will amount amounts now please end up with am
    remaining remain remains over there this thing number value exactly work works § , -""".split()  # noqa: SIM905
)
_NO_THINGS = frozenset(["times", "plus", "minus", "less", "halves", "thirds", "fourths", "percents", "decimals", "places"])
_MONEY = r"dollars?|euros?|quid|pounds?|bucks?|usd|eur|gbp|cents?|yen|rupees?"
_REFERENCE = re.compile(
    r"\b(?:(?:the|that|this)(?: (?:same|previous|last|above|final))? (?:result|answer|sum|total|difference|product|quotient|"
    r"number|value|outcome|figure|amount|average)(?: of that)?|what (?:you|i|we) (?:get|got|have)|that|it|this|them both)\b(?!\s*\d)(?! (?:of|between|among|when|if)\b)"
)
# "is 15% of 200 more than 25?" wants yes or no, not a sum.
_COMPARES = re.compile(r"(?:is|are|was|were)\b.*\b(?:more|less|fewer|bigger|greater|smaller|larger|equal|higher|lower)\b")
_QUANTITY = re.compile(rf"\d|{THAT}|\b(?:double|triple|treble|quadruple|halve|square|cube|root|negate)")
_FRACTIONS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
              "eighth": 8, "ninth": 9, "tenth": 10, "twentieth": 20, "hundredth": 100}  # fmt: skip
_TIMES = {"double": 2, "twice": 2, "triple": 3, "treble": 3, "thrice": 3, "quadruple": 4}

# Each turns words into symbols; applied in this order, again and again until nothing changes.
_REWRITES: list[tuple[str, str]] = [
    (r"^(?:how )?(?:many )?times (?:does |can |will |do |would )?(\S+) (?:go|goes|fit|fits|divide) (?:in )?(?:in|into|to) (\S+)$", r"\2 / \1"),
    (r"\bby (?:an? |1 )?half$", "by 50%"),
    (r"\bby (?:an? |1 )?quarter$", "by 25%"),
    (r"\bby (?:an? |1 )?fifth$", "by 20%"),
    (r"\bby (?:an? |1 )?tenth$", "by 10%"),
    (r"\b(?:per cent|percent|pct)\b", "%"),
    (r"(?<=\d) %", "%"),
    (r"\b(?:take )?(?:the )?(?:square root|sqrt|root)(?: of)? (" + _A + ")", r"sqrt(\1)"),
    (r"\b(?:take )?(?:the )?(?:cube root|cubic root|cbrt)(?: of)? (" + _A + ")", r"cbrt(\1)"),
    (r"\b(?:the )?factorial of (\d+)", r"factorial(\1)"),
    (r"\b(\d+) factorial\b", r"factorial(\1)"),
    (r"\b(?:the )?absolute value of (" + _A + ")", r"abs(\1)"),
    (r"\b(?:the )?square of (" + _A + ")", r"\1^2"),
    (r"\b(?:the )?cube of (" + _A + ")", r"\1^3"),
    (r"(" + _A + r") squared\b", r"\1^2"),
    (r"(" + _A + r") cubed\b", r"\1^3"),
    (r"(?:\braised )?to the power (?:of )?(?=[\d§(])", "^ "),
    (r"(?:\braised )?to the (\d+)(?:st|nd|rd|th) power", r"^ \1"),
    (r"(" + _A + ") more than (" + _A + ")", r"\2 + \1"),
    (r"(" + _A + ") (?:less|fewer) than (" + _A + ")", r"\2 - \1"),
    (rf"({_A}) (?:multiplied by|times) itself", r"\1 ^ 2"),
    (r"^(?:and |then )?of (?:§|that|it|this),? (?:take )?([\d.]+ ?%)$", r"\1 of §"),
    (r"^times (?:§ )?(?:by )?(?=[\d(])", "§ * "),
    (r"\bto the power (?=[\d§(])", "^ "),
    (r"\b(?:the )?log(?:arithm)?(?: to)?(?: the)? base (\d+) of (" + _A + ")", r"(log(\2) / log(\1))"),
    (r"\b(?:the )?(?:natural log(?:arithm)?|ln) (?:of )?(" + _A + ")", r"ln(\1)"),
    (r"\b(?:the )?log(?:arithm)?(?: of)? (?=\d)(" + _A + ")", r"log(\1)"),
    (r"\b(?:the )?(?:sine|sin) of (" + _A + ")", r"sin(\1)"),
    (r"\b(?:times|multiplied) by\b", "*"),
    (r"\b(?:div|divided)(?: by)?(?= [\d§(])", "/"),
    (r"\b(?:subtracted|taken(?: away)?) from (?=\d)", " less-from "),
    (r"(" + _A + r")  ?less-from (" + _A + ")", r"\2 - \1"),
    (r"^squared$", "square"),
    (r"^cubed$", "cube it"),
    (r"\b(?:added to|plus)\b", "+"),
    (r"\b(?:minus|less)\b", "-"),
    (r"\b(?:multiplied by|times)\b", "*"),
    (r"\b(?:divided by|over)\b", "/"),
    (r"\b(?:modulo|mod)\b", " % "),
]  # fmt: skip
_COMMA = r"(?:\s*,\s*(?:and |or |& )?|\s+(?:and|or|&)\s+)"
_LIST = rf"(?P<x>{_A}(?:{_COMMA}{_A})+)"
_ONE = r" ?(?:numbers?|values?|ones?|figures?)? ?"
_THESE = r"(?: (?:these|the|the following|following)?(?: numbers?| values?| figures?)?:?)?"
_CONTINUED = THAT + " {y}"
# Whole-clause forms: (pattern, expression with {x} and {y}).
_FORMS: list[tuple[str, str]] = [
    (rf"(?:increase|raise|grow|bump|mark up|up) {_X} by (?P<y>[\d.]+%)", "{x} + {y}"),
    (rf"(?:decrease|reduce|lower|cut|discount|drop|shrink|mark down) {_X} by (?P<y>[\d.]+%)", "{x} - {y}"),
    (rf"(?:increase|raise) {_X} by {_Y}", "{x} + {y}"),
    (rf"(?:decrease|reduce|lower) {_X} by {_Y}", "{x} - {y}"),
    (rf"{_X} (?:increased|raised) by {_Y}", "{x} + {y}"),
    (rf"{_X} (?:decreased|reduced|lowered|discounted) by {_Y}", "{x} - {y}"),
    (r"(?:increase|raise) by (?P<y>.+)", THAT + " + {y}"),
    (r"(?:decrease|reduce|lower) by (?P<y>.+)", THAT + " - {y}"),
    (rf"(?:take |knock )?(?P<y>[\d.]+%) (?:off|discount on|discount off)(?: of)? {_X}".replace("?P<x>.+?", "?P<x>.+"), "{x} - {y}"),
    (rf"{_X} (?:with|at|after) (?:a |an )?(?P<y>[\d.]+%) (?:off|discount|reduction)", "{x} - {y}"),
    (rf"{_X} (?:with|plus|\+) (?:a |an )?(?P<y>[\d.]+%) (?:tip|tax|vat|markup|interest)", "{x} + {y}"),
    (rf"(?:a )?(?P<y>[\d.]+%) (?:tip|tax|vat|commission|discount) (?:on|of|for) {_X}".replace("?P<x>.+?", "?P<x>.+"), "{y} of {x}"),
    (rf"(?:what )?(?:percentage|%|percent)(?: of)? {_X} (?:is|are|does|makes?) {_Y}", "{y} / {x} * 100"),
    (rf"(?:the )?(?:percentage|percent|%) (?:is|are|of) {_X} (?:out )?(?:of|from|in) {_Y}", "{x} / {y} * 100"),
    (rf"(?:express |write )?{_X} as (?:a |an )?(?:percentage|percent|%) of {_Y}", "{x} / {y} * 100"),
    (rf"{_X} is (?P<y>[\d.]+%) of (?:what|which)(?: number)?", "{x} / {y}"),
    (r"(?:what number is |of (?:what|which)(?: number)? is )?(?P<x>[\d.]+) (?P<y>[\d.]+%) of (?:what|which)(?: number)?", "{x} / {y}"),
    (r"(?P<x>.+?) (?:written |expressed )?(?:as|in|into|to) (?:a )?decimals?", "{x}"),
    (rf"(?:add|sum|total|tot)(?: up)? (?:these|them|those|the following)(?: numbers| up| together| for me)*:? {_LIST}", "{list+}"),
    (rf"{_Y} (?:expressed )?as (?:a |an )?(?:percentage|percent|%)", "{y} * 100"),
    (
        r"(?:a )?(?P<y>[\d.]+%) (?:markup|mark-up|mark up|surcharge|uplift|increase|rise|raise) (?:on|of|to|for|in)"
        r" (?:a (?:cost|price|salary|pay|total) of )?(?P<x>.+)",
        "{x} + {y}",
    ),
    (
        r"(?:a )?(?P<y>[\d.]+%) (?:decrease|drop|cut|reduction|markdown|fall) (?:on|of|to|for|in|from)"
        r" (?:a (?:cost|price|salary|pay|total) of )?(?P<x>.+)",
        "{x} - {y}",
    ),
    (rf"{_X} (?:rounded |round )?(?:off )?to (?P<y>\d) (?:decimal places?|decimals?|dp|d\.p\.|places)", "round({x}, {y})"),
    (rf"(?:round|rounding)(?: off)? {_X} to (?P<y>\d) (?:decimal places?|decimals?|dp|d\.p\.|places)", "round({x}, {y})"),
    (rf"(?:round|rounding)(?: off)? {_X} to the nearest (?:whole number|integer|1|whole)", "round({x})"),
    (rf"(?:round|rounding)(?: off)? {_X} to the nearest (?P<y>10+|5)(?:s|th)?", "round({x} / {y}) * {y}"),
    (rf"{_X} (?:is|as|are) (?:what|which|a|the) (?:percentage|%|percent) of {_Y}", "{x} / {y} * 100"),
    (rf"{_X} out of {_Y} (?:as|in) (?:a |an )?(?:percentage|%|percent)", "{x} / {y} * 100"),
    (rf"(?:the )?remainder (?:of|when|if) (?:you divide )?{_X} (?:is )?(?:/|by) {_Y}", "{x} % {y}"),
    (rf"(?:the )?(?:average|mean|arithmetic mean)(?: value)?(?: of| for| between)?{_THESE} {_LIST}", "avg({list})"),
    (rf"(?:the )?(?:sum|total)(?: of| for)?{_THESE} {_LIST}", "{list+}"),
    (rf"(?:do |does |if you add |if i add )?{_LIST} (?:add up to|sum to|sum up to|come to|total|added together|added up|together|make)(?: what)?", "{list+}"),
    (rf"(?:the )?sum of {_X} and {_Y}", "{x} + {y}"),
    (rf"(?:the )?product of {_LIST}", "{list*}"),
    (rf"(?:the )?(?:largest|biggest|maximum|max|greatest|highest) {_ONE}(?:of|among|out of|from|in|between){_THESE} {_LIST}", "max({list})"),
    (rf"which (?:number |one |of these )?is (?:the )?(?:bigger|larger|greater|more|largest|biggest|greatest|highest)\W+{_LIST}", "max({list})"),
    (rf"which (?:number |one |of these )?is (?:the )?(?:smaller|less|lower|smallest|lowest)\W+{_LIST}", "min({list})"),
    (rf"(?:the )?median(?: value)?(?: of| for){_THESE} {_LIST}", "median({list})"),
    (rf"(?:the )?(?:greatest common (?:divisor|factor)|highest common factor|gcd|hcf|gcf)(?: of| for)? {_LIST}", "gcd({list})"),
    (rf"(?:the )?(?:least|lowest|smallest) common (?:multiple|denominator)(?: of| for)? {_LIST}|(?:the )?lcm(?: of| for)? {_LIST.replace('P<x>', 'P<y>')}", "lcm({list})"),
    (rf"(?:the )?(?:smallest|minimum|min|least|lowest) {_ONE}(?:of|among|out of|from|in|between){_THESE} {_LIST}", "min({list})"),
    (rf"(?:the )?difference (?:between|of) {_X} and {_Y}", "abs({x} - {y})"),
    (rf"(?:the )?(?:quotient|ratio) of {_X} (?:and|to|by) {_Y}", "{x} / {y}"),
    (rf"(?:add|add up|sum|sum up|total|adding) {_LIST}(?: together| up)?", "{list+}"),
    (r"(?:add|adding) (?P<y>.+?) (?:to|onto) (?P<x>.+)", "{x} + {y}"),
    (rf"(?:add|adding)(?: another| on)? {_Y}", THAT + " + {y}"),
    (r"(?:subtract|take away|take|deduct|remove|subtracting) (?P<y>.+?) (?:from|off|away from) (?P<x>.+)", "{x} - {y}"),
    (rf"(?:subtract|take away|take off|knock off|deduct|remove|subtracting) {_Y}", THAT + " - {y}"),
    (rf"(?:multiply|multiplying) {_X} (?:by|and|with) {_Y}", "{x} * {y}"),
    (rf"(?:multiply|multiplying) (?:by )?{_Y}", THAT + " * {y}"),
    (rf"(?:divide|split|dividing) {_X} (?:by|into|between|among) {_Y}(?: (?:equal )?(?:parts|ways|people))", "{x} / {y}"),
    (rf"(?:divide|split|dividing) {_X} (?:by|between|among) {_Y}", "{x} / {y}"),
    (rf"(?:divide|dividing) (?:by )?{_Y}", THAT + " / {y}"),
    (rf"(?:raise|raising) {_X} \^ {_Y}", "{x} ^ {y}"),
    (rf"(?:square|squaring) {_X}".replace(".+?", ".+"), "{x}^2"),
    (rf"(?:cube|cubing) {_X}".replace(".+?", ".+"), "{x}^3"),
    (rf"(?:halve|halving) {_X}".replace(".+?", ".+"), "{x} / 2"),
    (r"halve|halving", THAT + " / 2"),
    (rf"(?:multiplying|multiply) {_X} (?:by|and|with) {_Y}", "{x} * {y}"),
    (r"square(?: the result)?", THAT + "^2"),
    (r"(?:take )?(?:the |its )?(?:square root|sqrt)", f"sqrt({THAT})"),
    (r"(?:take )?(?:the |its )?cube root", f"cbrt({THAT})"),
    (r"negate", f"-{THAT}"),
    (r"(?:how (?:much|many) )?(?:is )?(?P<y>[\d.]+%) off(?: of)? (?:a |an )?(?P<x>[\d.]+)(?: item| purchase)?", "{x} - {y}"),
    (r"(?P<y>[*/^+-] .+)", _CONTINUED),
]  # fmt: skip
_COMPILED_REWRITES = [(re.compile(pattern), symbol) for pattern, symbol in _REWRITES]
_COMPILED_FORMS = [(re.compile(pattern), template) for pattern, template in _FORMS]


def plain(text: str) -> str:
    """`text` folded, numbers as digits, money signs gone (one currency only), references as one sign."""
    phrase = numbers.to_digits(words.fold(text))
    phrase = re.sub(
        r"(?<![\w.])(\d+(?:\.\d+)?)(k|mn|mil|bn)\b",
        lambda found: numbers.show(float(found[1]) * {"k": 1e3, "bn": 1e9}.get(found[2], 1e6)),
        phrase,
    )
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
    if _COMPARES.match(phrase):
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
    pattern = rf"\b(?:(?P<count>\d+|an?|one)[ -])?(?:the )?(?P<name>{names})s? (?:of )?(?={_A})"

    def fraction(found: re.Match[str]) -> str:
        count = found["count"] or "1"
        return f"{count if count.isdigit() else 1}/{_FRACTIONS[found['name']]} of "

    return re.sub(pattern, fraction, text)


def _multiples(text: str) -> str:
    for word, factor in _TIMES.items():
        text = re.sub(rf"\b{word} (?:of )?({_A})", rf"\1 * {factor}", text)
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
        items = re.split(_COMMA, parts.get("x") or parts["y"])
        return (
            template.replace("{list+}", " + ".join(items))
            .replace("{list*}", " * ".join(items))
            .replace("{list}", ", ".join(items))
        )
    parts = {name: (_formed(value) if template != _CONTINUED else None) or value for name, value in parts.items()}
    for name, value in parts.items():
        loose = re.search(r"[-+*/]|of", value.lstrip("-")) and not re.fullmatch(_A, value) and value != template
        bare = template == _CONTINUED or (template in {"abs({x} - {y})"} and name == "x")
        template = template.replace(f"{{{name}}}", f"({value})" if loose and not bare else value)
    return template


def _is_expression(text: str) -> bool:
    """Nothing but numbers, operators, functions and "of" after a percentage or fraction, and at least one operation."""
    if not re.fullmatch(rf"(?:{THAT}|\d+(?:\.\d+)?|\.\d+|pi\b|(?:{_FUNCTIONS})(?=\()|\bof\b|[-+*/^%(),!]|\s)+", text):
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
