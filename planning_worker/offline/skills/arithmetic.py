"""Arithmetic in symbols or words, alone or on what came before: "half of 86 plus 7", "then add 5", "double it"."""

import re

from planning_worker.offline import clauses
from planning_worker.offline.reading import Draft, Reading, Scene
from planning_worker.offline.skills import arithmetic_forms, arithmetic_words
from services.phrases import words

_START = re.compile(
    r"(?:let's say |say |suppose )?(?:i )?(?:(?:start|begin|starting|beginning)(?: off)?(?: with| at| "
    r"from)?|take|if i (?:take|have|start with)|i have|given|if you have|"
    r"if you take|let's start with|think of|pick)(?: the number)?\s+(?P<number>\d+(?:\.\d+)?)"
)
# "…, what do I get?" after the sums adds nothing.
_FILLER = re.compile(
    r"(?:and )?(?:(?:then )?what (?:am|are|do|would) (?:i|we|you) (?:be )?(?:left with|end up with|"
    r"have left|have|get)|how (?:much|many) (?:do|would|will) (?:i|you|we) (?:have(?: left)?|get|end "
    r"up with)|what(?:'s| is) left(?: over)?|take (?:that|it|the (?:previous |last )?(?:result|answer|"
    r"number))|what (?:do|does|would|will) (?:i|you|we|it|that) (?:get|have|make|give|come to|"
    r"equal)(?: then)?|"
    r"what(?:'s| is) (?:it|the (?:final )?(?:result|answer|total))|what(?:'s| is) that|how much is (?:it|that))"
)

_ANSWER_AGAIN = re.compile(
    r"(?:what (?:was|is)|what's) (?:that|the) (?:last |previous )?(?:result|answer|number|sum|total)(?: again)?"
)

_RATIO = re.compile(
    r"(?:what(?:'s| is) |can you )?(?=.*\b(?:simpl|reduce|lowest|ratio))(?:(?:simplify|reduce|the "
    r"simplest form of|simplest form of|"
    r"simplified form of) )?(?:the )?(?:ratio )?(?:of )?(?P<ratio>\d+ ?(?::| to ) ?\d+)(?: as a ratio)?"
    r"(?: simplified|,? (?:in|to) (?:its |the )?(?:simplest|lowest) (?:form|terms))?"
)


def read(text: str, scene: Scene) -> Reading | None:
    """A sum in symbols or words, alone or on what came before."""
    phrase = arithmetic_words.plain(clauses.bare(text))
    start = _START.fullmatch(phrase)
    if start:
        return Reading("arithmetic", value=start["number"], topic={"number": start["number"]})
    last = scene.last
    if (
        last
        and last.skill in {"arithmetic", "conversions", "dates"}
        and _FILLER.fullmatch(words.fold(clauses.bare(text)))
        and scene.value()
    ):
        return Reading("arithmetic", value=scene.value(), topic=last.topic)
    if _ANSWER_AGAIN.fullmatch(words.fold(clauses.bare(text))) and (value := scene.value()) and value[0] != "$":
        return Reading("arithmetic", said=f"It was {value}.", value=value)
    ratio = _RATIO.fullmatch(phrase)
    if ratio:
        return _calculate(ratio["ratio"].replace(" ", "").replace("to", ":"), phrase, scene)
    expression = arithmetic_words.expression(phrase)
    if expression is None:
        return _again(phrase, scene)
    if arithmetic_forms.THAT in expression:
        value = scene.value()
        if value is None:
            return None
        expression = expression.replace(arithmetic_forms.THAT, value)
    return _calculate(expression, phrase, scene)


def _again(phrase: str, scene: Scene) -> Reading | None:
    """ "And 20%?", "what about of 500?" after "17% of 2340": the same percentage or the same base once more."""
    last = scene.last
    if not last or last.skill != "arithmetic" or "expression" not in last.topic:
        return None
    before = re.fullmatch(r"([\d.]+)% of ([\d.]+)", str(last.topic["expression"]))
    now = re.fullmatch(r"(?:and |what about |how about )*(?:(?P<part>[\d.]+)%|(?:of )?(?P<base>[\d.]+))", phrase)
    if not before or not now:
        return None
    return _calculate(f"{now['part'] or before[1]}% of {now['base'] or before[2]}", phrase, scene)


def _calculate(expression: str, phrase: str, scene: Scene) -> Reading:
    step = Draft(
        scene.step_id(), "calculate", {"expression": expression}, phrase.replace(arithmetic_forms.THAT, "that")
    )
    return Reading("arithmetic", (step,), value=f"${{{step.id}.value}}", topic={"expression": expression})
