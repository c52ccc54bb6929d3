"""Where spans go: by OTLP over HTTP to OTEL_EXPORTER_OTLP_ENDPOINT (the SDK's own variables hold), in the background.

Needs the extra `otlp` (`pip install 'perdure[otlp]'`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanContext

from services import settings
from services.errors import Misconfigured
from services.journal import event_feed

_fixed: ContextVar[SpanContext | None] = ContextVar("span", default=None)


@contextmanager
def as_(context: SpanContext) -> Iterator[None]:
    """The span begun inside has the ids of this one."""
    before = _fixed.set(context)
    try:
        yield
    finally:
        _fixed.reset(before)


def begin(process: str, exporter: Any = None) -> None:
    """Trace in this process from now on, if the settings say so. Raises Misconfigured where the extra is missing."""
    if settings.current().traces == "off":
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
    except ImportError as error:
        raise Misconfigured("PERDURE_TRACES=otlp needs the extra: pip install 'perdure[otlp]'.") from error
    from services.tracing import endings

    class Ids(RandomIdGenerator):
        """Random, but for the spans whose ids follow from the run."""

        def generate_span_id(self) -> int:
            fixed = _fixed.get()
            return fixed.span_id if fixed else super().generate_span_id()

        def generate_trace_id(self) -> int:
            fixed = _fixed.get()
            return fixed.trace_id if fixed else super().generate_trace_id()

    names = Resource.create({"service.name": f"perdure-{process}", "service.namespace": "perdure"})
    provider = TracerProvider(resource=names, id_generator=Ids())
    made = SimpleSpanProcessor(exporter) if exporter else BatchSpanProcessor(OTLPSpanExporter())
    provider.add_span_processor(made)
    trace.set_tracer_provider(provider)
    event_feed.read_by(endings.read)
