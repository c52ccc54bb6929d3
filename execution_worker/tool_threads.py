"""Threads that tools run in, so that a hung tool costs its step's timeout and never a slot of the worker.

A call is handed to an idle thread and waited for. When the time is up the thread is left behind (Python can't kill it)
and forgotten; the next call gets another. Threads that come back to life return to the idle ones.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

_idle: queue.SimpleQueue["_Thread"] = queue.SimpleQueue()


def run(function: Callable[[], Any], *, timeout: float, cancelled: threading.Event) -> Any:
    """What `function` returns or raises. Raises TimeoutError after `timeout` seconds.

    A cancelled run is given two seconds to notice by itself; then it counts as timed out.
    """
    future: Future[Any] = Future()
    _free_thread().calls.put((function, future))
    waited = 0.0
    while waited < timeout:
        pause = min(1.0, timeout - waited)
        try:
            return future.result(pause)
        except TimeoutError:
            if future.done():
                raise  # the tool's own TimeoutError
        waited += pause
        if cancelled.is_set():
            timeout = min(timeout, waited + 2)
            cancelled = threading.Event()
    raise TimeoutError


def _free_thread() -> "_Thread":
    try:
        return _idle.get_nowait()
    except queue.Empty:
        return _Thread()


class _Thread:
    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="tool", daemon=True).start()

    def _work(self) -> None:
        while True:
            function, future = self.calls.get()
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001 (handed to whoever waits for it)
                future.set_exception(error)
            else:
                future.set_result(result)
            del function, future
            _idle.put(self)
