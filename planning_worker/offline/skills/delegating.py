"""Asking another agent: "ask the researcher to …", "let the writer …", "delegate … to the adder"."""

import re

from planning_worker.offline import clauses
from planning_worker.offline.reading import Draft, Reading, Scene


def read(text: str, scene: Scene) -> Reading | None:
    """What an agent that exists is to do."""
    names = "|".join(re.escape(name) for name in sorted(scene.request.agents, key=len, reverse=True))
    if not names:
        return None
    phrase = clauses.bare(text)
    agent = rf"(?:the |our )?(?P<agent>{names})(?: agent)?"
    forms = (
        rf"(?:ask|tell|get) {agent}(?: to|:|,) (?P<request>.+)",
        rf"(?:have|let) {agent} (?P<request>.+)",
        rf"(?:delegate|give) (?P<request>.+) to {agent}",
    )
    ways = (re.fullmatch(form, phrase, re.IGNORECASE | re.DOTALL) for form in forms)
    found = next((way for way in ways if way), None)
    if found is None:
        return None
    name = next(name for name in scene.request.agents if name.lower() == found["agent"].lower())
    arguments = {"agent": name, "request": found["request"].strip()}
    return Reading("delegating", (Draft(scene.step_id(), "delegate", arguments, phrase),))
