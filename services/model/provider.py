"""The brain's three verbs: `complete` (a text, or JSON to a schema), `stream` (a text as it comes), `embed` (vectors).

All raise Failed (naming the setting to check) or Retryable (with retry_after), and end at their timeout.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar, cast

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from services import clock, settings
from services.errors import Failed, Retryable
from services.model import attempts, billing, breaker, context, endpoints, fallbacks, faults, recorder, time_limits
from services.model.billing import Bill
from services.model.endpoints import CONNECT_SECONDS, Endpoint, Format
from services.model.shapes import Completion, Message, Usage

EMBEDDING_BATCH = 128

Reply = TypeVar("Reply")


def complete(
    messages: Sequence[Message],
    *,
    schema: dict[str, Any] | None = None,
    schema_name: str = "reply",
    timeout: float | None = None,
) -> Completion:
    """What the model answers to `messages`.

    schema: JSON Schema that the text is to fit; endpoints that can't be held to it are told it in words, so parse the
    text with `json_text` and check it. timeout: seconds in all, retries included (default: PERDURE_MODEL_TIMEOUT).
    """
    if (recorded := recorder.told(messages, schema)) is not None:
        return recorded
    return fallbacks.first(partial(_complete, messages, schema, schema_name), _deadline(timeout))


def _complete(
    messages: Sequence[Message], schema: dict[str, Any] | None, name: str, instead: Endpoint | None, deadline: float
) -> Completion:
    bill = billing.opened(messages, seconds=deadline - clock.monotonic(), instead=instead)
    endpoint, taken = bill.endpoint, Completion("", Usage(), bill.endpoint.model)

    def ask(form: Format | None) -> Completion:
        asked, options = _formatted(form, messages, schema or {}, name) if form else (messages, {})
        return attempts.persist(partial(_ask, endpoint, asked, options | bill.options, deadline), deadline)

    try:
        taken = ask(None) if schema is None else _in_some_form(endpoint, ask)
        return recorder.keep(messages, schema, taken)
    finally:
        bill.settle(taken.usage, taken.model, len(taken.text))


def stream(
    messages: Sequence[Message],
    *,
    schema: dict[str, Any] | None = None,
    schema_name: str = "reply",
    timeout: float | None = None,
) -> "TextStream":
    """The model's answer as it is written; schema and timeout as for `complete`.

    The request is sent when the first piece is asked for.
    """
    return TextStream(messages, timeout, schema, schema_name)


def embed(texts: Sequence[str], *, model: str | None = None, timeout: float | None = None) -> list[list[float]]:
    """One vector for each text, in order, by `model`, or else by PERDURE_EMBEDDING_MODEL."""
    model = model or settings.current().embedding_model
    if model is None:
        raise Failed("No embedding model is configured: set PERDURE_EMBEDDING_MODEL.")
    endpoint, deadline = endpoints.current(), _deadline(timeout)
    vectors: list[list[float]] = []
    for start in range(0, len(texts), EMBEDDING_BATCH):
        batch = [text or " " for text in texts[start : start + EMBEDDING_BATCH]]  # Most endpoints refuse empty texts.
        vectors += attempts.persist(lambda batch=batch: _embed(endpoint, model, batch, deadline), deadline)  # type: ignore[misc]
    return vectors


class TextStream:
    """Pieces of text; iterate once. When the iteration is through, `usage` and `model` say what it took.

    A failure before the first piece is tried again; one after it raises Retryable, and what came is incomplete.
    """

    def __init__(
        self,
        messages: Sequence[Message],
        timeout: float | None = None,
        schema: dict[str, Any] | None = None,
        schema_name: str = "reply",
    ) -> None:
        self.usage = Usage()
        self.model = settings.current().model
        self._messages = messages
        self._options: dict[str, Any] = {}
        self._limits: dict[str, Any] = {}
        self._written = 0
        self._timeout = timeout
        self._schema = schema
        self._schema_name = schema_name

    def __iter__(self) -> Iterator[str]:
        if (recorded := recorder.told(self._messages, self._schema)) is not None:
            self.usage, self.model = recorded.usage, recorded.model
            yield recorded.text
            return
        text = []
        for piece in self._written_now():
            text.append(piece)
            yield piece
        recorder.keep(self._messages, self._schema, Completion("".join(text), self.usage, self.model))

    def _written_now(self) -> Iterator[str]:
        deadline = _deadline(self._timeout)
        bill, first, rest = fallbacks.first(partial(self._begun, deadline), deadline)
        try:
            if first:
                yield first
            yield from rest
        finally:
            bill.settle(self.usage, self.model, self._written)

    def _begun(self, deadline: float, instead: Endpoint | None, first_by: float) -> tuple[Bill, str, Iterator[str]]:
        """The bill, the first piece and the rest, of the model that is meant or of a fallback."""
        bill = billing.opened(self._messages, seconds=deadline - clock.monotonic(), instead=instead)
        endpoint, self._limits, self.model = bill.endpoint, bill.options, bill.endpoint.model
        begin = partial(self._begin, endpoint, (first_by, deadline))
        try:
            if self._schema is None:
                return (bill, *attempts.persist(begin, first_by))
            return (bill, *_in_some_form(endpoint, partial(self._begin_in, begin, first_by)))
        except BaseException:
            bill.settle(self.usage, self.model, self._written)
            raise

    def _begin_in(
        self, begin: Callable[[], tuple[str, Iterator[str]]], deadline: float, form: Format
    ) -> tuple[str, Iterator[str]]:
        asked = self._messages
        try:
            self._messages, self._options = _formatted(form, asked, self._schema or {}, self._schema_name)
            return attempts.persist(begin, deadline)
        except faults.RequestRefused:
            self._messages = asked
            raise

    def _begin(self, endpoint: Endpoint, deadlines: tuple[float, float]) -> tuple[str, Iterator[str]]:
        """The first piece, with the iterator over the rest. deadlines: of the first piece, and of all."""
        try:
            pieces = self._pieces(endpoint, *deadlines)
            return next(pieces, ""), pieces
        except faults.RequestRefused:
            if not endpoint.counts_streams:
                raise
        endpoint.counts_streams = False
        try:
            pieces = self._pieces(endpoint, *deadlines)
            return next(pieces, ""), pieces
        except faults.RequestRefused:
            endpoint.counts_streams = True  # The refusal had another reason.
            raise

    def _pieces(self, endpoint: Endpoint, first_by: float, deadline: float) -> Iterator[str]:
        finished = None
        with breaker.guarding(endpoint), faults.explained(endpoint):
            for chunk in time_limits.iterate(lambda: self._open(endpoint, deadline), deadline, first_by=first_by):
                self.usage = _usage(chunk.usage) if chunk.usage else self.usage
                self.model = chunk.model or self.model
                for choice in (chunk.choices or [])[:1]:
                    finished = choice.finish_reason or finished
                    if choice.delta and choice.delta.refusal:
                        raise Failed(f"The model declined: {faults.told(choice.delta.refusal, endpoint)}")
                    if choice.delta and choice.delta.content:
                        self._written += len(choice.delta.content)
                        yield choice.delta.content
        if finished is None:
            raise Retryable(f"The model at {endpoint.host} broke off in the middle of its answer.")

    def _open(self, endpoint: Endpoint, deadline: float) -> Any:
        counted: dict[str, Any] = {"stream_options": {"include_usage": True}} if endpoint.counts_streams else {}
        reply = endpoint.client.chat.completions.create(
            model=endpoint.model,
            messages=cast(Any, self._messages),
            stream=True,
            timeout=_timeout(deadline),
            **counted,
            **self._options,
            **(context.options(endpoint) | self._limits),
        )
        if reply.response.headers.get("content-type", "").startswith("application/json"):
            return [_as_chunk(ChatCompletion.model_validate_json(reply.response.read()))]  # it does not stream
        return reply


def _in_some_form(endpoint: Endpoint, ask: Callable[[Format], Reply]) -> Reply:
    """What `ask` returns in the first form that the endpoint takes; it is asked in that form from now on."""
    refusal: faults.RequestRefused | None = None
    for form in endpoint.formats:
        try:
            reply = ask(form)
        except faults.RequestRefused as error:
            refusal = refusal or error
        else:
            endpoint.settle_on(form)
            return reply
    raise refusal or Failed("The model takes no form of request.")


def _ask(endpoint: Endpoint, messages: Sequence[Message], options: dict[str, Any], deadline: float) -> Completion:
    def call() -> Any:
        return endpoint.client.chat.completions.create(
            model=endpoint.model,
            messages=cast(Any, messages),
            timeout=_timeout(deadline),
            **(context.options(endpoint) | options),
        )

    with breaker.guarding(endpoint), faults.explained(endpoint):
        reply = time_limits.run(call, deadline)
    if not isinstance(reply, ChatCompletion) or not reply.choices:
        raise Failed(
            f"The model at {endpoint.host} did not answer in OpenAI's format; "
            "check OPENAI_BASE_URL (which usually ends in /v1)."
        )
    message = reply.choices[0].message
    if message.refusal:
        raise Failed(f"The model declined: {faults.told(message.refusal, endpoint)}")
    return Completion(message.content or "", _usage(reply.usage), reply.model or endpoint.model)


def _embed(endpoint: Endpoint, model: str, batch: list[str], deadline: float) -> list[list[float]]:
    def call() -> Any:
        return endpoint.client.embeddings.create(
            model=model, input=batch, encoding_format="float", timeout=_timeout(deadline)
        )

    with faults.explained(endpoint):
        reply = time_limits.run(call, deadline)
        found = sorted(getattr(reply, "data", None) or [], key=lambda one: one.index)
    if len(found) != len(batch):
        raise Failed(
            f"The model at {endpoint.host} sent {len(found)} vectors for {len(batch)} texts; "
            "check PERDURE_EMBEDDING_MODEL and OPENAI_BASE_URL."
        )
    return [one.embedding for one in found]


def _formatted(
    form: Format, messages: Sequence[Message], schema: dict[str, Any], name: str
) -> tuple[Sequence[Message], dict[str, Any]]:
    """Messages and options that ask for JSON in this form."""
    if form == "json_schema":
        wanted = {"name": name, "schema": schema, "strict": False}
        return messages, {"response_format": {"type": "json_schema", "json_schema": wanted}}
    told = f"Reply with one JSON value that fits this JSON Schema, and nothing else:\n{json.dumps(schema)}"
    return _told(messages, told), ({"response_format": {"type": "json_object"}} if form == "json_object" else {})


def _told(messages: Sequence[Message], more: str) -> list[Message]:
    """`messages` with `more` at the end of the system message: many local models take only one, the first."""
    if messages and messages[0]["role"] == "system":
        return [{"role": "system", "content": f"{messages[0]['content']}\n\n{more}"}, *messages[1:]]
    return [{"role": "system", "content": more}, *messages]


def _as_chunk(whole: ChatCompletion) -> ChatCompletionChunk:
    choices = [
        {"index": 0, "finish_reason": choice.finish_reason, "delta": choice.message.model_dump(exclude_none=True)}
        for choice in whole.choices
    ]
    return ChatCompletionChunk.model_validate(
        {**whole.model_dump(include={"id", "created", "model", "usage"}), "object": "chat.completion.chunk"}
        | {"choices": choices}
    )


def _usage(counted: CompletionUsage | None) -> Usage:
    if counted is None:
        return Usage()
    details = counted.prompt_tokens_details
    cached = (details.cached_tokens if details else None) or 0
    return Usage(counted.prompt_tokens or 0, counted.completion_tokens or 0, cached)


def _deadline(timeout: float | None) -> float:
    return clock.monotonic() + (timeout or settings.current().model_timeout)


def _timeout(deadline: float) -> openai.Timeout:
    left = max(deadline - clock.monotonic(), 0.01)
    return openai.Timeout(left, connect=min(left, CONNECT_SECONDS))
