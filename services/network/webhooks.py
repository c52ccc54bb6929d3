"""Standard Webhooks (standardwebhooks.com, 1.0): the three headers that say who sent a request."""

import base64
import binascii
import hashlib
import hmac
import os

from services import clock

PREFIX = "whsec_"


def signed(secret: str, message_id: str, body: bytes, *others: str) -> dict[str, str]:
    """The headers of a request with this body, sent now. secret: `whsec_` + base64, or any text.

    message_id is the same on every attempt at delivering the same thing. others: further secrets that are good at
    present, while one takes the place of another; the receiver takes the signature that it knows.
    """
    timestamp = str(int(clock.now().timestamp()))
    signatures = [f"v1,{_signature(each, message_id, timestamp, body)}" for each in (secret, *others)]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def new_secret() -> str:
    """A secret to sign with, as the standard writes it."""
    return PREFIX + base64.b64encode(os.urandom(32)).decode()


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
