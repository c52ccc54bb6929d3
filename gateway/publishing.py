"""POST /api/publish: a message, or many, to a URL or a URL group; now, later, or by a schedule."""

import base64
import binascii
from typing import Annotated, Any, Literal

from flask import Blueprint, Response, request
from pydantic import ConfigDict, Field, model_validator
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, run_requests, wire
from gateway.fields import Id, Moment, Time
from gateway.flow import LimitRequest
from gateway.run_requests import StartRequest
from gateway.schedules import NewSchedule
from services import clock
from services.delivery import deduplications, publishing
from services.delivery.messages import ATTEMPTS
from services.delivery.publishing import Content, Publication, Taken, Terms
from services.delivery.redacted import Redaction
from services.errors import BadInput, FieldError
from services.flow import keys
from services.pipeline import flow_turns
from services.schedules import schedules
from services.schedules.schedules import Schedule

MOST_AT_ONCE = 1_000
YEAR = 366 * 86_400

EXAMPLE = {"url": "https://shop.example.com/in", "body": {"order": 17}, "retries": 3}

blueprint = Blueprint("publishing", __name__)

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/?#]+$")]
Url = Annotated[str, Field(min_length=1, max_length=8_000)]
Headers = Annotated[
    dict[
        Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")],
        Annotated[str, Field(max_length=8_000, pattern=r"^[^\r\n]*$")],
    ],
    Field(max_length=50),
]
Labels = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=200)], Annotated[str, Field(max_length=1_000)]],
    Field(max_length=64),
]


class Redact(bodies.Body):
    """What is sent and never shown: headers by name, fields of a JSON body by path (`card.number`; `*` for all)."""

    headers: Annotated[list[str], Field(max_length=50)] = Field(default_factory=list)
    body: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=50)] = Field(
        default_factory=list
    )


class MessageCallbacks(bodies.Body):
    """Who is told, as a message of its own, that this one was delivered or given up."""

    success: Url | None = None
    failure: Url | None = None


def _no_limits_needed(schema: dict[str, Any]) -> None:
    schema.pop("anyOf", None)


class Flow(LimitRequest):
    """A flow key, and if wanted its limit (shared with steps of that key)."""

    model_config = ConfigDict(json_schema_extra=_no_limits_needed)

    key: Annotated[str, Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _limits_something(self) -> "Flow":
        if self.period is not None and self.rate is None:
            raise ValueError("`period` goes with `rate`")
        return self


class Message(bodies.Body):
    """One message: `url` or `group`; `body` (any JSON), `text` or `base64`."""

    url: Url | None = None
    group: Name | None = None
    method: Literal["POST", "PUT", "PATCH", "DELETE", "GET"] = "POST"
    headers: Headers = Field(default_factory=dict)
    body: Any = None
    text: str | None = None
    base64: str | None = None
    delay: Annotated[float, Field(ge=0, le=YEAR)] = 0
    not_before: Moment | None = None
    deadline: Moment | None = None
    timeout: Annotated[float, Field(gt=0, le=300)] = publishing.TIMEOUT
    retries: Annotated[int, Field(ge=0, le=100)] = ATTEMPTS - 1
    retry_delay: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    queue: Name | None = None
    flow: Flow | None = None
    deduplication_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    content_deduplication: bool = False
    deduplication_window: Annotated[float, Field(gt=0, le=deduplications.LONGEST)] = deduplications.WINDOW
    callbacks: MessageCallbacks | None = None
    secret: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    redact: Redact | None = None
    labels: Labels = Field(default_factory=dict)

    @model_validator(mode="after")
    def _makes_sense(self) -> "Message":
        if (self.url is None) == (self.group is None):
            raise ValueError("give `url` or `group`, one of the two")
        if len(self.model_fields_set & {"body", "text", "base64"}) > 1:
            raise ValueError("give one of `body` (any JSON), `text` and `base64`")
        if self.delay and self.not_before:
            raise ValueError("give `delay` or `notBefore`, not both")
        if self.deduplication_id is not None and self.content_deduplication:
            raise ValueError("give `deduplicationId` or `contentDeduplication`, not both")
        return self

    def publication(self, once: str | None = None) -> Publication:
        """What is asked for. once: an Idempotency-Key, where nothing else says what is the same."""
        terms = Terms(
            delay=self.delay,
            not_before=self.not_before,
            deadline=self.deadline,
            timeout=self.timeout,
            retries=self.retries,
            retry_delay=self.retry_delay,
            queue=self.queue,
            flow=self.flow.key if self.flow else None,
            dedup_key=self._dedup_key(once),
            dedup_seconds=self.deduplication_window,
            callbacks=self.callbacks.model_dump(exclude_none=True) if self.callbacks else {},
            labels=self.labels,
        )
        return Publication(self.url, self.group, self._content(), terms, self.secret)

    def _content(self) -> Content:
        redaction = Redaction(self.redact.headers, self.redact.body) if self.redact else Redaction()
        if "body" in self.model_fields_set:
            return Content.of_json(self.body, method=self.method, headers=self.headers, redaction=redaction)
        body: Any = self.text
        if self.base64 is not None:
            try:
                base64.b64decode(self.base64, validate=True)
            except binascii.Error as error:
                raise BadInput("#/base64: is not base64.", errors=[FieldError("#/base64", "is not base64.")]) from error
            body = {"base64": self.base64}
        return Content(self.method, self.headers, body, redaction)

    def _dedup_key(self, once: str | None) -> str | None:
        if self.deduplication_id is not None:
            return deduplications.of_id(self.deduplication_id)
        if self.content_deduplication:
            sent = [self.url, self.group, self.method, self.headers, self.body, self.text, self.base64]
            return deduplications.of_content(sent)
        return f"key:{once}" if once else None


class WhenToPublish(bodies.Body):
    """By a schedule instead of once: as for POST /api/schedules, but without `run`."""

    name: Name
    cron: Annotated[str, Field(max_length=200)] | None = None
    every: Annotated[float, Field(gt=0, le=YEAR)] | None = None
    at: Moment | None = None
    timezone: Annotated[str, Field(max_length=100)] = "UTC"


class Publish(Message):
    """One message, once or by a schedule."""

    schedule: WhenToPublish | None = None


class Batch(bodies.Body):
    """Many messages, all taken or none."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Published(TypedDict):
    """A message that was accepted. deduplicated: it was there before."""

    id: Id
    url: str
    deduplicated: bool


class PublishedMany(TypedDict):
    """Messages that were accepted, in order."""

    items: list[Published]


class PublishedLater(TypedDict):
    """A schedule that publishes."""

    schedule: str
    nextAt: Time | None
    explained: str


@blueprint.post("/api/publish")
@declare.operation(takes=Publish | Batch, gives={202: Published | PublishedMany, 201: PublishedLater}, example=EXAMPLE)
def publish() -> Response:
    """Answers 202 once the messages are committed: {id, url, deduplicated}, or `items` of that."""
    if _is_batch():
        batch, _ = bodies.read(Batch)
        return _published(batch.messages, single=False)
    asked, _ = bodies.read(Publish)
    if asked.schedule is not None:
        return _scheduled(asked, asked.schedule)
    return _published([asked], single=asked.group is None)


def _is_batch() -> bool:
    found = request.get_json(silent=True, cache=True)
    return isinstance(found, dict) and "messages" in found


def _published(asked: list[Any], *, single: bool) -> Response:
    once = request.headers.get("Idempotency-Key")
    several = len(asked) > 1
    wanted = [each.publication(f"{once}/{place}" if once and several else once) for place, each in enumerate(asked)]
    for each in asked:
        _set_limit(each.flow)
    taken = [_shown(each) for each in publishing.publish(_tenant(), wanted)]
    if not single:
        return wire.reply({"items": taken}, status=202)
    made = wire.reply(taken[0], status=202)
    made.headers["Location"] = f"/api/messages/{taken[0]['id']}"
    return made


def _set_limit(flow: Flow | None) -> None:
    if flow is None or (flow.parallelism is None and flow.rate is None):
        return
    if keys.is_shared(flow.key):
        detail = "belongs to the whole system; set its limit by PUT /api/flow."
        raise BadInput(f"#/flow/key: {detail}", errors=[FieldError("#/flow/key", detail)])
    period = None if flow.rate is None else flow.period or 1.0
    keys.set_limit(_tenant(), flow.key, parallelism=flow.parallelism, rate=flow.rate, period=period)
    flow_turns.pass_on(keys.names_of(_tenant(), [flow.key]))


def _scheduled(asked: Publish, when: WhenToPublish) -> Response:
    """A schedule whose runs have one step, which publishes."""
    if asked.text is not None or asked.base64 is not None or asked.callbacks or asked.not_before or asked.deadline:
        raise BadInput("By a schedule goes a JSON `body`, without callbacks, `notBefore` and `deadline`.")
    publishing.check(asked.publication())
    arguments = {
        "url": asked.url,
        "group": asked.group,
        "message": asked.body,
        "delay": asked.delay or None,
        "secret": asked.secret,
        "headers": asked.headers or None,
        "options": {
            "method": asked.method,
            "retries": asked.retries,
            "retry_delay": asked.retry_delay,
            "timeout": asked.timeout,
            "queue": asked.queue,
            "flow": asked.flow.key if asked.flow else None,
            "redact_headers": asked.redact.headers if asked.redact else [],
            "redact_fields": asked.redact.body if asked.redact else [],
        },
    }
    given = {name: value for name, value in arguments.items() if value is not None}
    plan = {"steps": [{"id": "publish", "tool": "publish", "arguments": given}]}
    run = StartRequest.model_validate({"plan": plan, "labels": asked.labels or None})
    timing = when.model_dump(exclude={"name"})
    NewSchedule.model_validate({"name": when.name, "run": {"plan": plan}, **when.model_dump(by_alias=True)}).timing()
    _set_limit(asked.flow)
    row = run_requests.row(run, _tenant())
    kept = schedules.add(
        Schedule(tenant=_tenant(), name=when.name, run=row, overlap="allow", catchup="last", paused=False, **timing)
    )
    shown = {"schedule": kept.name, "nextAt": clock.to_wire(kept.next_at), "explained": kept.timing.explained()}
    return wire.reply(shown, status=201)


def _shown(taken: Taken) -> Published:
    return {"id": taken.id, "url": taken.url, "deduplicated": taken.deduplicated}


def _tenant() -> str:
    return authentication.caller().tenant
