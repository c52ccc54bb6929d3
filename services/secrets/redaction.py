"""Striking secrets out of what leaves this process: outputs, errors, events, logs. Knows what the vault revealed."""

import base64
from typing import Any
from urllib.parse import quote

_known: dict[str, str] = {}


def strike_out(name: str, value: str) -> None:
    """From now on, `value` reads as `[secret NAME]` in everything that is cleaned, also in the usual encodings."""
    raw = value.encode()
    for form in (value, quote(value, safe=""), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()):
        _known[form] = f"[secret {name}]"


def clean(value: Any) -> Any:
    """`value` (any JSON) without known secrets; the same object when none is known."""
    if not _known:
        return value
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, list | tuple):
        return [clean(part) for part in value]
    if isinstance(value, dict):
        return {clean(key): clean(part) for key, part in value.items()}
    return value


def log_processor(logger: Any, method: str, event: Any) -> Any:
    """The last step but one of every log line (a structlog processor)."""
    return clean(event)


def _clean_text(text: str) -> str:
    for form, struck in tuple(_known.items()):
        if form in text:
            text = text.replace(form, struck)
    return text
