"""Data in a prompt: memories, earlier turns, tool outputs. Written as JSON inside a tag that the data can't close."""

import json
import re
from typing import Any

_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
CUT = " … [cut]"


def fenced(kind: str, value: Any, limit: int | None = None) -> str:
    """`value` (any JSON) as `<data kind="…">…</data>`, cut to about `limit` characters.

    `<` is escaped, so nothing inside can end the tag; invisible characters, in which text can hide, are dropped.
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = shortened(visible(text), limit)
    return f'<data kind="{kind}">\n{text.replace("<", "&lt;")}\n</data>'


def visible(text: str) -> str:
    """`text` without zero-width, direction and Unicode tag characters."""
    return _INVISIBLE.sub("", text)


def shortened(text: str, limit: int | None) -> str:
    """`text` cut to `limit` characters, with a mark that says so."""
    if limit is None or len(text) <= limit:
        return text
    return text[: max(limit - len(CUT), 0)] + CUT
