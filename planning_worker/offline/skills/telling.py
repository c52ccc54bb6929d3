"""What people tell in passing ("My flight leaves at 7:40"): acknowledged, without a step.

The conversation keeps it word for word, and the episode of the run keeps it for later ones (reflection's lessons).
"""

from planning_worker.offline import clauses
from planning_worker.offline.reading import Reading, Scene
from planning_worker.offline.skills import statements


def read(text: str, scene: Scene) -> Reading | None:
    """A statement that asks for nothing. The last skill: whatever else a clause may be comes first."""
    phrase = clauses.bare(text)
    if "?" in text or clauses.asks_again(text) or clauses.urls(text) or not statements.states(phrase):
        return None
    said = statements.turned(phrase)
    return Reading("remembering", said=f"Noted: {said[0].lower() + said[1:]}.", topic={"fact": phrase})
