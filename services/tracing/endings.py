"""The spans that belong to no one process: the run as a whole, and its execution. Told when the run has ended.

Read from the journal by the thread that publishes the end, so no worker waits for it.
"""

from datetime import datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode

from services import logs
from services.errors import PerdureError
from services.journal import run_traces
from services.journal.event_names import TERMINAL
from services.tracing import export, identity, spans

log = logs.get(__name__)


def read(events: list[dict[str, Any]]) -> None:
    """Tell of the runs that have ended with these events. Never raises."""
    for event in events:
        if event["name"] in TERMINAL:
            try:
                _tell(run_traces.timeline(event["workflowId"]))
            except (PerdureError, KeyError, TypeError) as error:
                log.warning("A run could not be traced", run_id=event["workflowId"], error=str(error))


def _tell(run: run_traces.Timeline) -> None:
    whole = identity.of_run(run.id, run.traceparent)
    known = {
        "perdure.run.id": run.id,
        "perdure.run.status": run.status,
        "perdure.tenant": run.tenant,
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": run.agent or "perdure",
        "gen_ai.conversation.id": run.conversation_id,
    }
    status = Status(StatusCode.ERROR, run.status) if run.status == "failed" else None
    _span("run", whole, identity.caller(run.traceparent), (run.created_at, run.finished_at), known, status)
    if run.first_step and run.last_step:
        part = identity.of_run(run.id, run.traceparent, spans.EXECUTE)
        steps = {"perdure.run.id": run.id, "perdure.phase": "execute", "perdure.steps": run.steps}
        _span("execute run", part, whole, (run.first_step, run.last_step), steps, None)


def _span(
    name: str,
    mine: SpanContext,
    above: SpanContext | None,
    times: tuple[datetime, datetime],
    attributes: dict[str, Any],
    status: Status | None,
) -> None:
    parent = trace.set_span_in_context(NonRecordingSpan(above)) if above else Context()
    with export.as_(mine):
        span = trace.get_tracer("perdure").start_span(
            name, parent, attributes=attributes, start_time=int(times[0].timestamp() * 1e9)
        )
    if status:
        span.set_status(status)
    span.end(int(times[1].timestamp() * 1e9))
