"""Spans of what this process does: a phase, an attempt at a step, a call of a tool or a model. Off: nothing at all.

Attributes are those of OpenTelemetry's conventions for generative AI. Requests, arguments and results are left out
unless PERDURE_TRACE_CONTENT says that they may leave.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import orjson
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanKind, Status, StatusCode

from services import settings
from services.tracing import identity

MOST_CONTENT = 20_000  # characters
EXECUTE = "execute"


def on() -> bool:
    """Whether anything is traced."""
    return settings.current().traces != "off"


@contextmanager
def phase(run_id: str, name: str, attempt: int) -> Iterator[None]:
    """A phase of a run that one worker has: plan, reflect, remember."""
    if not on():
        yield
        return
    with _below(run_id, "run", f"{name} run", {"perdure.phase": name, "perdure.phase.attempt": attempt}):
        yield


@contextmanager
def step(run_id: str, step_id: str, attempt: int, tool: str) -> Iterator[Span]:
    """An attempt at a step; says how it ended by `outcome`."""
    if not on():
        yield trace.INVALID_SPAN
        return
    attributes = {"perdure.step.id": step_id, "perdure.step.attempt": attempt, "gen_ai.tool.name": tool}
    with _below(run_id, EXECUTE, f"step {step_id}", attributes) as span:
        yield span


def outcome(span: Span, ended: str, error: dict[str, Any] | None) -> None:
    """How the attempt ended; `failed` and what nobody knows count as errors."""
    span.set_attribute("perdure.step.outcome", ended)
    if ended in {"failed", "unknown"}:
        span.set_status(Status(StatusCode.ERROR, str((error or {}).get("reason") or ended)))


@contextmanager
def tool(name: str, call_id: str, arguments: Any) -> Iterator[None]:
    """The call of a tool, below the span of its step."""
    if not on():
        yield
        return
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "gen_ai.tool.call.id": call_id}
    tracer = trace.get_tracer("perdure")
    with tracer.start_as_current_span(f"execute_tool {name}", attributes=attributes, record_exception=False) as span:
        _content(span, "gen_ai.tool.call.arguments", arguments)
        yield


def model_called(model: str, host: str, messages: Any) -> Span:
    """A call of a model begins; `model_answered` ends it."""
    if not on():
        return trace.INVALID_SPAN
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "server.address": host,
    }
    span = trace.get_tracer("perdure").start_span(f"chat {model}", kind=SpanKind.CLIENT, attributes=attributes)
    _content(span, "gen_ai.input.messages", messages)
    return span


def model_answered(span: Span, model: str, read: int, written: int) -> None:
    """It is over; with no token written it came to nothing."""
    span.set_attribute("gen_ai.response.model", model)
    span.set_attribute("gen_ai.usage.input_tokens", read)
    span.set_attribute("gen_ai.usage.output_tokens", written)
    if not written:
        span.set_status(Status(StatusCode.ERROR, "no answer"))
    span.end()


def header() -> dict[str, str]:
    """What tells a tool's server which span it is called from; nothing while there is none."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid or not on():
        return {}
    return {identity.HEADER: f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"}


@contextmanager
def _below(run_id: str, part: str, name: str, attributes: dict[str, Any]) -> Iterator[Span]:
    above = trace.set_span_in_context(NonRecordingSpan(identity.of_run(run_id, traceparent(run_id), part)))
    known = {"perdure.run.id": run_id, **attributes}
    tracer = trace.get_tracer("perdure")
    with tracer.start_as_current_span(name, above, attributes=known, record_exception=False) as span:
        yield span


@lru_cache(maxsize=10_000)
def traceparent(run_id: str) -> str | None:
    """What the caller of this run said of its own span."""
    from services.journal import run_traces

    return run_traces.traceparent(run_id)


def _content(span: Span, name: str, value: Any) -> None:
    if settings.current().trace_content:
        text = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        span.set_attribute(name, text[:MOST_CONTENT])
