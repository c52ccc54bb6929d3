"""Starting a run from what an OpenAI client sends, and the answer as it grows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway import authentication
from gateway.streams import following
from services.agents import agents
from services.errors import BadInput, FieldError
from services.journal import runs
from services.journal.runs import Run
from services.pipeline import phases
from services.spending import usage

DEFAULT_MODEL = "perdure"
ROLES = {"user": "user", "assistant": "assistant"}


@dataclass(frozen=True)
class Asked:
    """request: the last thing that the user said. turns: {role, text} before it. instructions: of the client."""

    request: str
    turns: list[dict[str, str]] = field(default_factory=list)
    instructions: str | None = None


def read(messages: Sequence[dict[str, Any]], pointer: str, instructions: str | None = None) -> Asked:
    """What a list of OpenAI messages asks. Raises BadInput for what is no text, or when nobody asks anything."""
    told = [instructions] if instructions else []
    turns: list[dict[str, str]] = []
    for index, message in enumerate(messages):
        text = text_of(message.get("content"), f"{pointer}/{index}/content")
        if message.get("role") in ("system", "developer"):
            told.append(text)
        elif message.get("role") in ROLES:
            turns.append({"role": ROLES[message["role"]], "text": text})
        else:
            raise refused(f"{pointer}/{index}/role", "must be system, developer, user or assistant.")
    if not turns or turns[-1]["role"] != "user" or not turns[-1]["text"].strip():
        raise refused(pointer, "must end with what the user asks.")
    return Asked(turns[-1]["text"], turns[:-1], "\n\n".join(told) or None)


def text_of(content: Any, pointer: str) -> str:
    """The text of a message's content, plain or in parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in content
    ):
        return "".join(part["text"] for part in content)
    raise refused(pointer, "must be text; images, audio and files are not taken.")


def agent_of(model: str) -> str | None:
    """The agent that a model's name stands for. Raises NotFound for no agent's name."""
    return None if model == DEFAULT_MODEL else agents.get(authentication.caller().tenant, model).name


def start(
    asked: Asked, model: str, *, user: str | None, labels: dict[str, str] | None, conversation: str | None
) -> Run:
    """A committed run of what is asked, rung."""
    run_id = str(runs.new_id())
    tenant = authentication.caller().tenant
    runs.create(
        {
            "id": run_id,
            "tenant": tenant,
            "user_id": user or "default",
            "conversation_id": conversation or run_id,
            "request": asked.request,
            "turns": asked.turns,
            "instructions": asked.instructions,
            "agent": agent_of(model),
            "labels": labels,
            "plan": None,
        }
    )
    phases.start(run_id)
    return runs.get(tenant, run_id)


def events(run: Run, after: int = 0) -> Iterator[dict[str, Any] | None]:
    """The run's events up to its end; None now and then while nothing happens."""
    for batch in following.follow(run, after):
        if not batch:
            yield None
        for frame in batch:
            yield orjson.loads(frame.text or "{}")


class Growing:
    """The answer as its events bring it. `text`: what was passed on."""

    def __init__(self) -> None:
        self.text = ""
        self._attempt: int | None = None

    def more(self, event: dict[str, Any]) -> str:
        """What the event adds. An answer begun anew (its writer died) is passed on only once it is complete."""
        data = event["data"]
        if event["name"] == "answer.delta":
            self._attempt = data["attempt"] if self._attempt is None else self._attempt
            added = data["text"] if data["attempt"] == self._attempt else ""
        elif event["name"] == "answer.completed":
            whole = data["text"]
            added = whole[len(self.text) :] if whole.startswith(self.text) else f"\n\n{whole}"
        else:
            return ""
        self.text += added
        return added


def counted(run: Run) -> tuple[int, int]:
    """Tokens in and out of all calls of models for this run."""
    found = usage.report(run.tenant, "run", since=None, until=None, run_id=run.id, limit=1)
    return (found[0]["input_tokens"], found[0]["output_tokens"]) if found else (0, 0)


def refused(pointer: str, detail: str) -> BadInput:
    """The error for a faulty field."""
    return BadInput(f"{pointer.removeprefix('#/')}: {detail}", errors=[FieldError(pointer, detail)])
