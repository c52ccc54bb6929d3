"""Where every reply of a model is recorded, and told again in a replay: the one point that the provider calls."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from services import logs
from services.errors import Failed, Unavailable
from services.model.shapes import Completion, Message, Usage
from services.replay import recorded_calls
from services.spending import payers

log = logs.get(__name__)


def told(messages: Sequence[Message], schema: dict[str, Any] | None) -> Completion | None:
    """The reply that was recorded, in a replay; None where the model is to be asked.

    Raises Failed when a replay asks something for which there is no reply.
    """
    payer = payers.current()
    if payer is None or not payer.replay:
        return None
    reply = recorded_calls.replayed(payer, recorded_calls.parts_of(messages, schema))
    if reply is None:
        raise Failed(f"The recording has no reply of a model for {payer.holder}.")
    return Completion(reply["text"], Usage(**reply["usage"]), reply["model"])


def keep(messages: Sequence[Message], schema: dict[str, Any] | None, taken: Completion) -> Completion:
    """Record what the model replied to a run; returns it. What can't be recorded does no harm."""
    payer = payers.current()
    if payer is not None and payer.run_id is not None and payer.holder is not None:
        reply = {"text": _storable(taken.text), "model": taken.model, "usage": asdict(taken.usage)}
        try:
            recorded_calls.keep(payer, recorded_calls.parts_of(messages, schema), reply)
        except Unavailable as error:
            log.warning("A reply of the model was not recorded", error=error.detail)
    return taken


def _storable(text: str) -> str:
    """Without what Postgres can't keep in JSON."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
