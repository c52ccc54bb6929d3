"""How much of a prompt's parts fits into the model's context (PERDURE_CONTEXT_TOKENS), and how the model is sampled."""

from typing import Any

from services import settings
from services.model.endpoints import Endpoint

CHARACTERS_PER_TOKEN = 3  # fewer than of English text (4): rather too little than cut off by the server


def room(part: float, most: int) -> int:
    """Characters for a part of a prompt: `part` of the context, but `most` at most; where none is set, `most`."""
    tokens = settings.current().context_tokens
    return most if tokens is None else min(most, int(tokens * CHARACTERS_PER_TOKEN * part))


def options(endpoint: Endpoint) -> dict[str, Any]:
    """The options of a call that the settings name; an endpoint chooses the others.

    Where the context is known, a reply is held to a quarter of it: small models may go on for ever.
    """
    now = settings.current()
    named: dict[str, Any] = {"temperature": now.temperature, "top_p": now.top_p, "seed": now.seed}
    if now.context_tokens is not None:
        named[endpoint.output_limit] = min(now.max_output_tokens, now.context_tokens // 4)
    return {name: value for name, value in named.items() if value is not None}
