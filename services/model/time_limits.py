"""Calls that end when their time is over, whatever the other side does.

An HTTP client's timeouts count from byte to byte, so an endpoint that drips (some send blanks to keep a connection
open) outlasts them. So the call runs in a thread of its own, and the caller stops waiting for it.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import openai

from services import clock

Piece = TypeVar("Piece")


class _End:
    """The thread's last word: it is through, or `error` stopped it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error


def iterate(start: Callable[[], Iterable[Piece]], deadline: float, *, first_by: float | None = None) -> Iterator[Piece]:
    """The pieces of `start()`, each as it comes. Raises TimeoutError at `deadline` (monotonic seconds).

    first_by: by when the first piece has to be there, if earlier.

    A caller that stops early leaves a thread behind that ends at the next piece, or at the client's own timeout.
    """
    pieces: queue.SimpleQueue[Piece | _End] = queue.SimpleQueue()
    given_up = threading.Event()

    def pump() -> None:
        try:
            with _closed_after(start()) as source:
                for piece in source:
                    if given_up.is_set():
                        return
                    pieces.put(piece)
            pieces.put(_End())
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            pieces.put(_End(error))

    threading.Thread(target=pump, daemon=True, name="model-call").start()
    try:
        by = deadline if first_by is None else min(first_by, deadline)
        while not isinstance(piece := _next(pieces, by), _End):
            by = deadline
            yield piece
        if piece.error:
            raise piece.error
    finally:
        given_up.set()


def run(call: Callable[[], Piece], deadline: float) -> Piece:
    """The result of `call()`. Raises TimeoutError at `deadline` (monotonic seconds)."""
    return next(iterate(lambda: (call() for _ in range(1)), deadline))


@contextmanager
def _closed_after(source: Iterable[Piece]) -> Iterator[Iterable[Piece]]:
    """A stream of the SDK holds a connection until it is closed; other iterables need nothing."""
    try:
        yield source
    finally:
        if isinstance(source, openai.Stream):
            source.close()


def _next(pieces: "queue.SimpleQueue[Piece | _End]", deadline: float) -> Piece | _End:
    try:
        return pieces.get(timeout=max(0.0, deadline - clock.monotonic()))
    except queue.Empty as error:
        raise TimeoutError("the time is over") from error
