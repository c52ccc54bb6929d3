"""The ids of a run's trace, which follow from the run, so that processes agree without telling each other.

A caller's `traceparent` (W3C Trace Context) is kept on the run; else the trace has the run's own id.
"""

import hashlib
import re
from uuid import UUID

from opentelemetry.trace import SpanContext, TraceFlags

HEADER = "traceparent"
_FORM = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


def valid(header: str | None) -> str | None:
    """The header, if it is one; a broken one counts as none, as the standard wants."""
    return header if header and _FORM.fullmatch(header) else None


def caller(traceparent: str | None) -> SpanContext | None:
    """The caller's span that the run belongs to."""
    found = _FORM.fullmatch(traceparent or "")
    if found is None:
        return None
    trace, span, flags = (int(part, 16) for part in found.groups())
    return SpanContext(trace, span, is_remote=True, trace_flags=TraceFlags(flags & 1))


def of_run(run_id: str, traceparent: str | None, part: str = "run") -> SpanContext:
    """The span of the run as a whole, or of a part of it that belongs to no one process."""
    above = caller(traceparent)
    trace = above.trace_id if above else UUID(run_id).int
    flags = above.trace_flags if above else TraceFlags(TraceFlags.SAMPLED)
    span = int.from_bytes(hashlib.sha256(f"{run_id}:{part}".encode()).digest()[:8]) or 1
    return SpanContext(trace, span, is_remote=True, trace_flags=flags)
