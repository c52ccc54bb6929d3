"""Standard Webhooks (standardwebhooks.com, 1.0): the three headers that say who sent a request."""

import base64
import binascii
import hashlib
import hmac

from services import clock

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
