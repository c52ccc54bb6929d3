"""What a memory's metadata say about the talk it is a turn of: who spoke, in which session, what was shown.

Read at write time by `memories`; retrieval lends score between neighbouring turns of one talk.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_LABELLED = re.compile(r"^(?:\[[^\]]{0,60}\]\s*)?([^\W\d_][\w .'-]{0,38}):\s")

_IS_ID = re.compile(r"(^|_|[a-z])(id|Id|key|url|Url)$")
MAX_CONTEXT = 600  # characters


@dataclass(frozen=True)
class Setting:
    """speaker: who said it, if known. thread: which talk it is a turn of; None for a memory that stands alone.

    context: the words around the text that are searched with it: the day, and the metadata's texts.
    """

    speaker: str | None
    thread: str | None
    context: str


def read(
    text: str, *, at: datetime, is_message: bool, conversation_id: str | None, metadata: dict[str, Any]
) -> Setting:
    """The setting of a memory. What is a message, or has a speaker or a session, is a turn.

    metadata may hold `speaker`, `session` (a part of the conversation) and `caption` (of a picture that was shared);
    its other texts are searched too. Without `speaker`, a leading "Name: " counts in what belongs to a conversation.
    """
    given = _scalar(metadata.get("speaker"))
    labelled = _LABELLED.match(text) if is_message or conversation_id else None
    speaker = given or (labelled.group(1) if labelled else None)
    session = _scalar(metadata.get("session"))
    is_turn = is_message or speaker is not None or session is not None
    words = [_scalar(value) for name, value in metadata.items() if isinstance(value, str) and not _IS_ID.search(name)]
    return Setting(
        speaker=speaker,
        thread=f"{conversation_id or ''}/{session or ''}" if is_turn else None,
        context=", ".join([f"{at:%A} {at.day} {at:%B %Y}", *(word for word in words if word)])[:MAX_CONTEXT],
    )


def _scalar(value: Any) -> str | None:
    """A metadata value as text; numbers count, anything nested does not."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).replace("\x00", "").strip()[:200] or None
