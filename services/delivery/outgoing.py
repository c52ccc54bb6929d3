"""A claimed message as the request that is sent: signed, with the same id on every attempt.

Handles of secrets are filled in in headers only: a body may hold text that others wrote.
"""

import base64
from typing import Any
from urllib.parse import urlsplit

from services.delivery import subscriptions
from services.delivery.messages import Claim
from services.network import webhooks
from services.network.web import Sending
from services.secrets import handles, vault


def sending(claimed: Claim) -> Sending:
    """The request. Raises Failed when a secret is missing or not meant for that host."""
    host = urlsplit(claimed.url).hostname or ""
    body = _raw(claimed.body)
    headers = {
        **handles.filled(claimed.tenant, claimed.headers, host),
        "Idempotency-Key": claimed.id,
        "webhook-id": claimed.id,
    }
    secrets = _secrets(claimed, host)
    if secrets:
        headers |= webhooks.signed(secrets[0], claimed.id, body or b"", *secrets[1:])
    return Sending(claimed.method, claimed.url, headers, body)


def _secrets(claimed: Claim, host: str) -> list[str]:
    if claimed.subscription_id is not None:
        return subscriptions.secrets_of(claimed.subscription_id)
    return [vault.reveal(claimed.tenant, claimed.secret, host)] if claimed.secret is not None else []


def _raw(body: Any) -> bytes | None:
    if body is None:
        return None
    return base64.b64decode(body["base64"]) if isinstance(body, dict) else str(body).encode()
