"""The answer that a model writes from the results of the steps. The prompt is `prompts/<PROMPT>.md`.

Called by the reflection worker when a model is configured.
"""

from functools import lru_cache
from pathlib import Path

from reflection_worker.answer_request import AnswerRequest
from services import clock
from services.model import context, data_fence, provider, results
from services.model.provider import TextStream
from services.model.shapes import Message

PROMPT = "answer_v1"
RESULTS_BUDGET = 40_000  # characters, shared fairly among the steps
MEMORIES_BUDGET = 6_000
TURNS_BUDGET = 12_000


def stream(request: AnswerRequest) -> TextStream:
    """The answer, piece by piece; when it is through, the stream's `usage` and `model` say what it took.

    Raises, while iterated, what the provider raises.
    """
    return provider.stream(_messages(request))


def _messages(request: AnswerRequest) -> list[Message]:
    parts = [f"The time is {clock.to_wire(request.now)} ({request.now:%A})."]
    if request.memories:
        room = context.room(0.05, MEMORIES_BUDGET)
        parts.append(data_fence.fenced("memories of this user, best first", request.memories, room))
    if request.turns:
        parts.append(data_fence.conversation(request.turns, context.room(0.1, TURNS_BUDGET)))
    if request.steps:
        told = results.told(request.steps, context.room(0.5, RESULTS_BUDGET))
        parts.append(data_fence.fenced("results of the steps", told))
    else:
        parts.append("No steps were run.")
    if request.note:
        parts.append(data_fence.fenced("the planner's note", request.note))
    parts.append(f"Answer this request:\n{request.request}")
    system = _prompt()
    if request.instructions:
        system += f"\n\nYou answer as an agent with these instructions:\n{request.instructions}"
    return [{"role": "system", "content": system}, {"role": "user", "content": "\n\n".join(parts)}]


@lru_cache(maxsize=1)
def _prompt() -> str:
    return (Path(__file__).parent / "prompts" / f"{PROMPT}.md").read_text(encoding="utf-8")
