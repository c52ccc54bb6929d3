"""Data in a prompt: memories, earlier turns, tool outputs. Written as JSON inside a tag that the data can't close."""

import json
import re
from collections.abc import Sequence
from typing import Any

_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
_TAG = re.compile(r"<(?=\s*/?\s*data\b)", re.IGNORECASE)
CUT = " … [cut]"


def fenced(kind: str, value: Any, limit: int | None = None) -> str:
    """`value` (any JSON) as `<data kind="…">…</data>`, cut to about `limit` characters.

    A tag of this kind inside the data is blunted, so nothing in it can end the fence; invisible characters, in which
    text can hide, are dropped.
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = shortened(visible(text), limit)
    return f'<data kind="{kind}">\n{_TAG.sub("‹", text)}\n</data>'


def conversation(turns: Sequence[tuple[str, str]], limit: int) -> str:
    """The latest of these (role, text) turns that fit into `limit` characters, fenced, oldest first."""
    kept: list[dict[str, str]] = []
    left = limit
    for role, text in reversed(turns):
        left -= len(text)
        if left < 0 and kept:
            break
        kept.append({role: text})
    return fenced("the conversation so far, oldest first", kept[::-1], limit * 2)


def visible(text: str) -> str:
    """`text` without zero-width, direction and Unicode tag characters."""
    return _INVISIBLE.sub("", text)


def shortened(text: str, limit: int | None) -> str:
    """`text` cut to `limit` characters, with a mark that says so."""
    if limit is None or len(text) <= limit:
        return text
    return text[: max(limit - len(CUT), 0)] + CUT
