"""Handles: `{{secret:NAME}}` in a step's arguments stands for a secret, which the worker puts in right before the call.

Plans, prompts, events, approvals and the journal only ever hold the handle.
"""

import re
from typing import Any

from services.secrets import vault

NAME = r"[A-Za-z][A-Za-z0-9_.-]{0,63}"
_HANDLE = re.compile(r"\{\{\s*secret:(" + NAME + r")\s*\}\}")


def filled(tenant: str, value: Any, host: str | None) -> Any:
    """`value` with every handle replaced by its secret, for sending to `host`. Raises Failed as `vault.reveal` does."""
    if isinstance(value, str):
        return _HANDLE.sub(lambda match: vault.reveal(tenant, match.group(1), host), value)
    if isinstance(value, list):
        return [filled(tenant, part, host) for part in value]
    if isinstance(value, dict):
        return {key: filled(tenant, part, host) for key, part in value.items()}
    return value
