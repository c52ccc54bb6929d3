"""How much of a prompt's parts fits into the model's context (PERDURE_CONTEXT_TOKENS), and how the model is sampled."""

from typing import Any

from services import settings

CHARACTERS_PER_TOKEN = 3  # fewer than of English text (4): rather too little than cut off by the server


def room(part: float, most: int) -> int:
    """Characters for a part of a prompt: `part` of the context, but `most` at most; where none is set, `most`."""
    tokens = settings.current().context_tokens
    return most if tokens is None else min(most, int(tokens * CHARACTERS_PER_TOKEN * part))


def sampling() -> dict[str, Any]:
    """The options of a call that the settings name; an endpoint chooses the others."""
    now = settings.current()
    named = {"temperature": now.temperature, "top_p": now.top_p, "seed": now.seed}
    return {name: value for name, value in named.items() if value is not None}
