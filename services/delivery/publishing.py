"""Publishing: from what is asked for to rows, all of a call or none. Called by the gateway and the tool `publish`."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid5

import httpx2
import orjson

from services import clock, database
from services.delivery import deduplications, redacted, retry_delays, url_groups
from services.delivery.messages import ATTEMPTS
from services.delivery.redacted import Redaction
from services.errors import BadInput, FieldError
from services.flow import keys
from services.journal import runs
from services.network import web
from services.network.refusals import UrlRefused
from services.pipeline import phases

TIMEOUT = 30.0
OURS = {
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
}
_NAMESPACE = UUID("6b1f5a52-0d0c-4b1e-9a51-3f0f3f9a4a57")


@dataclass(frozen=True)
class Content:
    """What is sent. body: a text, {base64: …}, or None."""

    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    redaction: Redaction = field(default_factory=Redaction)

    @staticmethod
    def of_json(value: Any, **fields: Any) -> "Content":
        """JSON, with its content type."""
        headers = fields.pop("headers", {})
        if not any(name.lower() == "content-type" for name in headers):
            headers = {**headers, "Content-Type": "application/json"}
        return Content(body=orjson.dumps(value).decode(), headers=headers, **fields)


@dataclass(frozen=True)
class Terms:
    """How it is sent. flow: a key as people write it. dedup_key: see deduplications.py.

    callbacks: {success, failure}, the URLs that are told of its end.
    """

    delay: float = 0
    not_before: datetime | None = None
    deadline: datetime | None = None
    timeout: float = TIMEOUT
    retries: int = ATTEMPTS - 1
    retry_delay: str | None = None
    queue: str | None = None
    flow: str | None = None
    dedup_key: str | None = None
    dedup_seconds: float = deduplications.WINDOW
    callbacks: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Publication:
    """One thing to publish: to a URL, or to a URL group. secret: the name of the secret that signs it."""

    url: str | None
    group: str | None
    content: Content
    terms: Terms = field(default_factory=Terms)
    secret: str | None = None


@dataclass(frozen=True)
class Sender:
    """The step that waits for what it sends. effect: the same on every attempt, and so are the messages' ids."""

    run_id: str
    step_id: str
    effect: str
    wait_hash: str


@dataclass(frozen=True)
class Taken:
    """A message that was accepted; deduplicated: it is the one that was accepted before."""

    id: str
    url: str
    deduplicated: bool


def publish(tenant: str, asked: list[Publication], *, sender: Sender | None = None) -> list[Taken]:
    """Accept these messages, all or none, and ring the workers. Raises BadInput and NotFound (URL group, …)."""
    rows = [
        row
        for place, one in enumerate(asked)
        for row in _rows(tenant, one, f"#/messages/{place}" if len(asked) > 1 else "#", sender)
    ]
    taken = database.call("publish_messages", database.json(rows))
    phases.ring_delivery(len(rows))
    return [Taken(each["id"], row["url"], each["deduplicated"]) for row, each in zip(rows, taken, strict=True)]


def check(one: Publication, pointer: str = "#") -> None:
    """Raise BadInput for a URL, a callback or an expression that can't be used."""
    where = {"url": one.url} | {f"callbacks/{name}": url for name, url in one.terms.callbacks.items()}
    for name, url in where.items():
        if url is not None:
            check_url(url, f"{pointer}/{name}")
    if one.terms.retry_delay is not None:
        wrong = retry_delays.fault(one.terms.retry_delay, one.terms.retries + 1)
        if wrong is not None:
            raise _refused(f"{pointer}/retryDelay", wrong)


def check_url(url: str, pointer: str) -> None:
    """Raise BadInput unless this is a URL that messages may go to, as far as its text shows."""
    try:
        web.check_url(httpx2.URL(url))
    except UrlRefused as error:
        raise _refused(pointer, error.detail) from error
    except httpx2.InvalidURL as error:
        raise _refused(pointer, "is not a valid URL.") from error


def message_id(effect: str, place: int) -> UUID:
    """The id of the message that a step sends first (0), second, …"""
    return uuid5(_NAMESPACE, f"{effect}/{place}")


def _rows(tenant: str, one: Publication, pointer: str, sender: Sender | None) -> list[dict[str, Any]]:
    check(one, pointer)
    if one.group is None:
        endpoints: list[dict[str, Any]] = [{"url": one.url}]
    else:
        endpoints = url_groups.get(tenant, one.group).endpoints
    flow = keys.names_of(tenant, [one.terms.flow])[0] if one.terms.flow else None
    return [
        _row(tenant, one, endpoint) | {"flow": flow} | _origin(sender, place)
        for place, endpoint in enumerate(endpoints)
    ]


def _origin(sender: Sender | None, place: int) -> dict[str, Any]:
    if sender is None:
        return {"id": str(runs.new_id()), "source": "api"}
    return {"id": str(message_id(sender.effect, place)), "source": "step", **vars(sender)}


def _row(tenant: str, one: Publication, endpoint: dict[str, Any]) -> dict[str, Any]:
    content, terms, url = one.content, one.terms, str(endpoint["url"])
    given = {**content.headers, **(endpoint.get("headers") or {})}
    headers = {name: value for name, value in given.items() if name.lower() not in OURS}
    hides = bool(content.redaction.headers or content.redaction.fields)
    secret = endpoint.get("secret") or one.secret
    return {
        "tenant": tenant,
        "url": url,
        "host": host_of(url),
        "method": content.method,
        "headers": headers,
        "body": content.body,
        "shown": redacted.shown(content.redaction, headers, content.body) if hides else None,
        "secret": secret,
        "group_name": one.group,
        "queue": terms.queue,
        "labels": terms.labels,
        "delay": terms.delay,
        "not_before": clock.to_wire(terms.not_before),
        "deadline": clock.to_wire(terms.deadline),
        "timeout": terms.timeout,
        "max_attempts": terms.retries + 1,
        "retry_delay": terms.retry_delay,
        "callbacks": {**terms.callbacks, "secret": secret} if terms.callbacks else None,
        "dedup_key": f"{terms.dedup_key} {url}" if terms.dedup_key else None,
        "dedup_seconds": terms.dedup_seconds,
    }


def host_of(url: str) -> str:
    """Host and port, for counting what is under way to a host."""
    return urlsplit(url).netloc.lower()


def _refused(pointer: str, detail: str) -> BadInput:
    return BadInput(f"{pointer}: {detail}", errors=[FieldError(pointer, detail)])
