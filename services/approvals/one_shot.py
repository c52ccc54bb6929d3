"""One-shot callback URLs: a call of one is a signal with the method, headers and body, and the URL is used up by it.

The token in the address is signed and says until when it is good; nothing is kept before the call.
"""

import hashlib
import hmac
from datetime import timedelta
from typing import Any

from services import clock, database, settings
from services.errors import Gone, NotFound
from services.journal import runs, signals
from services.journal.runs import Run
from services.journal.signals import Woken
from services.secrets import vault

PURPOSE = "one-shot"


def made(run_id: str, effect_key: str, seconds: float) -> dict[str, str]:
    """{url, event, expiresAt} for a step of this run."""
    until = clock.now() + timedelta(seconds=seconds)
    key = hashlib.sha256(effect_key.encode()).hexdigest()[:20]
    token = f"{key}.{int(until.timestamp())}"
    current = settings.current()
    base = (current.public_url or f"http://127.0.0.1:{current.port}").rstrip("/")
    return {
        "url": f"{base}/callbacks/once/{run_id}/{token}.{_signature(run_id, token)}",
        "event": _event(run_id, key),
        "expiresAt": str(clock.to_wire(until)),
    }


def called(run_id: str, token: str, call: dict[str, Any]) -> list[Woken]:
    """Take a call. Raises NotFound for a token that is not ours, Gone when its time is over or it was used."""
    key, _, rest = token.partition(".")
    until, _, signature = rest.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(run_id, f"{key}.{until}").encode()):
        raise NotFound("There is no such callback.")
    if int(until) < clock.now().timestamp():
        raise Gone("The time of this callback is over.")
    with database.session() as session:
        run = session.get(Run, runs.parse_id(run_id))
    if run is None:
        raise NotFound("There is no such callback.")
    return signals.send(run.tenant, _event(run_id, key), call, run_id=run_id, once=True)[1]


def _event(run_id: str, key: str) -> str:
    return f"callback:{run_id}:{key}"


def _signature(run_id: str, token: str) -> str:
    return vault.sign(PURPOSE, f"{run_id}/{token}")
