"""Standard Webhooks (standardwebhooks.com, 1.0): the three headers that say who sent a request."""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence

from services import clock
from services.errors import NotAuthenticated

PREFIX = "whsec_"
TOLERANCE = 300


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


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> str:
    """The id of a message that one of these secrets has signed, within the last five minutes.

    Raises NotAuthenticated that says what is wrong.
    """
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split()
    if not (message_id and timestamp and given):
        raise NotAuthenticated("Sign the request: webhook-id, webhook-timestamp and webhook-signature are needed.")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise NotAuthenticated("The header webhook-timestamp must be seconds since 1970.")
    if abs(clock.now().timestamp() - int(timestamp)) > TOLERANCE:
        raise NotAuthenticated("The header webhook-timestamp is not of the last five minutes; check the clock.")
    good = [f"v1,{_signature(secret, message_id, timestamp, body)}".encode() for secret in secrets]
    if not any(hmac.compare_digest(one, each.encode()) for one in good for each in given):
        raise NotAuthenticated("The header webhook-signature does not fit; sign the raw body with the current secret.")
    return message_id


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
