"""What a memory's metadata say about the talk it is a turn of: who spoke, in which session, what was shown.

Read at write time by `memories`; retrieval lends score between neighbouring turns of one talk.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_LABELLED = re.compile(r"^(?:\[[^\]]{0,60}\]\s*)?([^\W\d_][\w .'-]{0,38}):\s")


@dataclass(frozen=True)
class Setting:
    """speaker: who said it, if known. thread: which talk it is a turn of; None for a memory that stands alone.

    context: the words around the text that are searched with it (speaker, day, caption of a picture).
    """

    speaker: str | None
    thread: str | None
    context: str


def read(text: str, *, kind: str, at: datetime, conversation_id: str | None, metadata: dict[str, Any]) -> Setting:
    """The setting of a memory.

    metadata may hold `speaker` (else a leading "Name: " in the text counts), `session` (a part of the conversation)
    and `caption` (of a picture that was shared). A memory of kind `message`, or with a speaker or a session, is a turn.
    """
    given = _string(metadata.get("speaker"))
    labelled = _LABELLED.match(text)
    speaker = given or (labelled.group(1) if labelled and kind == "message" else None)
    session = _string(metadata.get("session"))
    is_turn = kind == "message" or given is not None or session is not None
    caption = _string(metadata.get("caption"))
    parts = [given, f"{at:%A} {at.day} {at:%B %Y}", f"shared a photo: {caption}" if caption else None]
    return Setting(
        speaker=speaker,
        thread=f"{conversation_id or ''}/{session or ''}" if is_turn else None,
        context=", ".join(part for part in parts if part),
    )


def _string(value: Any) -> str | None:
    """A metadata value as text; numbers count, anything nested does not."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip()[:200] or None
