"""Standard Webhooks (standardwebhooks.com, 1.0): the three headers that say who sent a request, and checking them."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from services import clock

TOLERANCE = 300
PREFIX = "whsec_"


def signed(secret: str, message_id: str, body: bytes) -> dict[str, str]:
    """The headers of a request with this body, sent now. secret: `whsec_` + base64, or any text.

    message_id is the same on every attempt at delivering the same thing.
    """
    timestamp = str(int(clock.now().timestamp()))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{_signature(secret, message_id, timestamp, body)}",
    }


def verified(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether these headers show that the holder of `secret` sent this body in the last (or next) five minutes."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not timestamp.isascii() or not timestamp.isdigit():
        return False
    if abs(clock.now().timestamp() - int(timestamp)) > TOLERANCE:
        return False
    right = _signature(secret, message_id, timestamp, body)
    given = [part.partition(",") for part in headers.get("webhook-signature", "").split()]
    return any(version == "v1" and hmac.compare_digest(mac, right) for version, _, mac in given)


def _signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    content = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(_key(secret), content, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
