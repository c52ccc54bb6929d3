"""The sandbox that code of a model runs in: pydantic-monty, a small Python in processes of its own.

It has no file, network or process; time, memory and output are limited, and a crash in it costs nothing but the call.
"""

import os
import threading
from typing import Any, Literal

import orjson
import pydantic_monty
from pydantic_monty import Monty, MontyCrashedError, MontyError, MontySyntaxError

from services.errors import Failed

SECONDS = 5.0
MEMORY = 64_000_000
OUTPUT = 20_000
CODE = 50_000
VALUE = 1_000_000

_pool: Monty | None = None
_pool_pid = 0
_starting = threading.Lock()


class CodeFailed(Failed):
    """The code raised, or can't be read; the sentence holds what Python said."""


class LimitReached(Failed):
    """The code took too much time or memory, or printed too much."""


def run(code: str, inputs: dict[str, Any]) -> tuple[Any, str]:
    """The value of the code's last expression, as JSON has it, and what it printed. inputs: names that it may use.

    Raises CodeFailed or LimitReached.
    """
    printed = _Printed()
    limits = pydantic_monty.ResourceLimits(
        max_feed_duration_secs=SECONDS, max_memory=MEMORY, max_recursion_depth=500, max_total_sleep_secs=0
    )
    try:
        with _workers().checkout(limits=limits) as session:
            value = session.feed_run(code, inputs=inputs, print_callback=printed)
    except MontyCrashedError as error:
        raise LimitReached("The code was stopped: it took too much time or memory.") from error
    except MontySyntaxError as error:
        raise CodeFailed(f"The code can't be read: {_said(error)}.") from error
    except MontyError as error:
        raise _fault(error, printed) from error
    if printed.cut:
        raise LimitReached(f"The code printed more than the {OUTPUT} characters that are taken.")
    return _plain(value), printed.text


def _plain(value: Any) -> Any:
    def otherwise(what: Any) -> Any:
        return list(what) if isinstance(what, set | frozenset | tuple) else str(what)

    try:
        text = orjson.dumps(value, default=otherwise, option=orjson.OPT_NON_STR_KEYS)
    except TypeError as error:
        raise CodeFailed(f"The code's value can't be given back: {error}.") from error
    if len(text) > VALUE:
        raise LimitReached(f"The code's value has more than the {VALUE // 1_000_000} MB that are taken.")
    return orjson.loads(text)


def _fault(error: MontyError, printed: "_Printed") -> Failed:
    said = _said(error)
    if printed.cut:
        return LimitReached(f"The code printed more than the {OUTPUT} characters that are taken.")
    if said.startswith(("TimeoutError", "MemoryError", "RecursionError")):
        return LimitReached(f"The code reached a limit ({SECONDS:g} s, {MEMORY // 1_000_000} MB): {said}.")
    return CodeFailed(f"The code raised {said}.")


def _said(error: MontyError) -> str:
    return str(error).strip().rstrip(".")[:1_000]


def _workers() -> Monty:
    """This process's pool, started at first use (and anew in a forked child)."""
    global _pool, _pool_pid
    with _starting:
        if _pool is None or _pool_pid != os.getpid():
            _pool = Monty(min_processes=1, max_processes=4, checkout_timeout=30, max_checkouts_per_worker=100)
            _pool.__enter__()
            _pool_pid = os.getpid()
        return _pool


class _Printed:
    """Collects what the code prints; too much of it ends the code."""

    def __init__(self) -> None:
        self.text = ""
        self.cut = False

    def __call__(self, stream: Literal["stdout", "stderr"], text: str) -> None:
        self.cut = self.cut or len(self.text) + len(text) > OUTPUT
        if self.cut:
            raise OverflowError("printed too much")
        self.text += text
