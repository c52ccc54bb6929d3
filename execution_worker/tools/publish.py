"""The tool publish: send a message to a URL or a URL group; the step sleeps as a row until that has an end."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services import clock, database
from services.approvals import approvals, callbacks
from services.delivery import deduplications, messages, publishing
from services.delivery.messages import ATTEMPTS, FINISHED, Message
from services.delivery.publishing import Content, Publication, Sender, Terms
from services.delivery.redacted import Redaction
from services.errors import BadInput, Failed, NotFound
from services.tools.contract import ToolContext, WaitForDecision, tool

LOOKS_AGAIN = 3_600.0  # a step that was not woken, whatever the reason, looks by itself
YEAR = 366 * 86_400
Header = Annotated[str, Field(max_length=8_000, pattern=r"^[^\r\n]*$")]
Method = Literal["POST", "PUT", "PATCH", "DELETE", "GET"]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Options(BaseModel):
    """How a message is sent, beyond where and what. retry_delay: seconds, by an expression of `attempt`."""

    model_config = ConfigDict(extra="forbid")

    method: Method = "POST"
    retries: Annotated[int, Field(ge=0, le=100)] = ATTEMPTS - 1
    retry_delay: Annotated[str, Field(max_length=200)] | None = None
    timeout: Annotated[float, Field(gt=0, le=300)] = publishing.TIMEOUT
    give_up_after: Annotated[float, Field(gt=0, le=YEAR)] | None = None
    queue: Name | None = None
    flow: Name | None = None
    deduplication_id: Name | None = None
    redact_headers: list[str] = []
    redact_fields: list[str] = []


@tool(
    effect="idempotent",
    timeout=40,
    capabilities=["deliver a message or event to a URL", "webhook", "notify a service", "publish later"],
)
def publish(  # noqa: PLR0913 (what a tool takes is its schema)
    context: ToolContext,
    url: str | None = None,
    message: Any = None,
    group: Name | None = None,
    delay: Annotated[float, Field(ge=0, le=YEAR)] = 0,
    secret: str | None = None,
    headers: dict[str, Header] | None = None,
    options: Options | None = None,
) -> dict[str, Any]:
    """Deliver `message` (any JSON) to `url`, or to every URL of a URL group, after `delay` seconds, tried until it is
    taken.

    `secret` names the secret to sign with (Standard Webhooks); `webhook-id` is the same on every attempt, so the other
    side can tell a repetition. Returns {"status", "id", "attempts", "text"}, for a group also "messages".
    """
    sent = messages.of_effect(context.idempotency_key)
    if not sent:
        asked = _publication(url, group, Content.of_json(message, headers=headers or {}), (delay, secret, options))
        try:
            publishing.publish(context.tenant, [asked], sender=_sender(context, 0))
        except (BadInput, NotFound) as error:
            raise Failed(error.detail) from error
        raise _asleep(context, 0)
    if any(each.status not in FINISHED for each in sent):
        raise _asleep(context, max(each.rounds for each in sent))
    return _ended(context, sent)


def _publication(
    url: str | None, group: str | None, content: Content, more: tuple[float, str | None, Options | None]
) -> Publication:
    delay, secret, given = more
    options = given or Options()
    if (url is None) == (group is None):
        raise Failed("Give `url` or `group`, one of the two.")
    until = clock.now() + timedelta(seconds=options.give_up_after) if options.give_up_after else None
    dedup = options.deduplication_id
    terms = Terms(
        delay=delay,
        deadline=until,
        timeout=options.timeout,
        retries=options.retries,
        retry_delay=options.retry_delay,
        queue=options.queue,
        flow=options.flow,
        dedup_key=deduplications.of_id(dedup) if dedup else None,
    )
    hides = Redaction(options.redact_headers, options.redact_fields)
    content = Content(options.method, content.headers, content.body, hides)
    return Publication(url, group, content, terms, secret)


def _ended(context: ToolContext, sent: list[Message]) -> dict[str, Any]:
    """What became of it. A message that was given up fails the step; when a person retries that, it is redriven."""
    given_up = [each for each in sent if each.status != "delivered"]
    if not given_up:
        return _told(sent)
    if all(each.seen for each in given_up):
        hash = _hash(context, given_up[0].rounds + 1)
        for each in given_up:
            database.call("redrive_for_step", str(each.id), hash)
        raise _asleep(context, given_up[0].rounds + 1)
    for each in given_up:
        database.call("message_seen", str(each.id))
    first = given_up[0]
    detail = (first.error or {}).get("detail", f"The message was {first.status}.")
    raise Failed(f"{len(given_up)} of {len(sent)} messages not delivered; {first.url}: {detail}")


def _told(sent: list[Message]) -> dict[str, Any]:
    first, attempts = sent[0], sum(each.attempt for each in sent)
    where = first.url if first.group_name is None else f"{len(sent)} URLs of {first.group_name}"
    told = {
        "status": (first.reply or {}).get("status"),
        "id": str(first.id),
        "attempts": attempts,
        "text": f"Delivered to {where} after {attempts} attempt{'' if attempts == 1 else 's'}.",
    }
    if first.group_name is not None:
        told["messages"] = [{"id": str(each.id), "url": each.url, "attempts": each.attempt} for each in sent]
    return told


def _sender(context: ToolContext, round: int) -> Sender:
    return Sender(context.run_id, context.step_id, context.idempotency_key, _hash(context, round))


def _asleep(context: ToolContext, round: int) -> WaitForDecision:
    """The step sleeps until all that it sent has ended (services/pipeline/waiting_senders.py)."""
    asks: dict[str, Any] = {"kind": callbacks.KIND, "hash": _hash(context, round), "tool": "publish", "arguments": {}}
    return WaitForDecision({**asks, "reason": None, "question": None}, LOOKS_AGAIN)


def _hash(context: ToolContext, round: int) -> str:
    return approvals.hash_of("delivery", context.idempotency_key, "publish", round)
