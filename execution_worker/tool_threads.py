"""Threads that tools run in, so that a hung tool costs its step's timeout and never a slot of the worker.

A call is handed to an idle thread and waited for. When the time is up the thread is left behind (Python can't kill
it); the next call gets another. Threads that come back to life return to the idle ones. When PERDURE_MAX_HUNG_TOOLS
have been left behind, the process asks itself to stop as a deploy would: it drains, and is started afresh.
"""

import os
import queue
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from services import logs, settings

log = logs.get(__name__)
_left_behind: set[Future[Any]] = set()
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
    _leave_behind(future)
    raise TimeoutError


def _leave_behind(future: Future[Any]) -> None:
    _left_behind.add(future)
    future.add_done_callback(_left_behind.discard)
    if len(_left_behind) == settings.current().max_hung_tools:
        log.error("Too many tools hang in this process; it stops, for a fresh one to take its place")
        os.kill(os.getpid(), signal.SIGTERM)


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
