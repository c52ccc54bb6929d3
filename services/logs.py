"""Structured logs to standard output: one sentence plus the ids bound for the work at hand."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from services import settings
from services.secrets import redaction

# without the local variables of each frame: they hold people's requests and secrets
_frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)


def configure(process: str) -> None:
    """Set up logging for this process; `process` (web, planning, …) is on every line. Call once, at start."""
    current = settings.current()
    level = logging.getLevelNamesMapping()[current.log_level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_frames)
        if current.log_format == "json"
        else structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if current.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    )
    structlog.configure(
        processors=[*shared, redaction.log_processor, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redaction.log_processor,
                renderer,
            ],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    structlog.contextvars.bind_contextvars(process=process)


def get(name: str) -> Any:
    """A logger; call it as `log.info("Run finished", run_id=…)`."""
    return structlog.get_logger(source=name)


@contextmanager
def bound(**ids: object) -> Iterator[None]:
    """Put these ids on every line logged inside the block."""
    with structlog.contextvars.bound_contextvars(**ids):
        yield
