"""The tools `echo`, `noop` and `sleep`."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from execution_worker.tools.echo import echo
from execution_worker.tools.noop import noop
from execution_worker.tools.sleep import sleep
from services.errors import Cancelled, Failed
from services.tools.contract import ToolContext, WaitUntil

NOW = datetime(2026, 5, 20, 14, 30, tzinfo=UTC)


def context(*, waited: bool = False, cancelled: threading.Event | None = None) -> ToolContext:
    return ToolContext("r", "s1", 1, "t", "u", "c", "key", NOW, waited=waited, cancelled=cancelled or threading.Event())


@pytest.mark.parametrize("value", ["hello", 5, None, [1, 2], {"a": {"b": 1}}])
def test_echo_gives_back_any_value(value: object) -> None:
    result = echo.function(value)

    assert result["value"] == value
    assert isinstance(result["text"], str)


def test_noop_says_that_nothing_was_done() -> None:
    assert noop.function() == {"text": "Nothing was done."}


def test_a_short_sleep_waits_in_place() -> None:
    started = time.monotonic()

    result = sleep.function(context(), 0.05)

    assert time.monotonic() - started >= 0.05
    assert result == {"seconds": 0.05, "text": "Waited 0.05 seconds."}


@time_machine.travel(NOW, tick=False)
def test_a_long_sleep_asks_to_be_woken_and_holds_no_worker() -> None:
    with pytest.raises(WaitUntil) as wait:
        sleep.function(context(), 60)

    assert wait.value.due == NOW + timedelta(seconds=60)


def test_a_sleep_that_was_waited_for_is_done_at_once() -> None:
    assert sleep.function(context(waited=True), 3600)["seconds"] == 3600


def test_a_cancelled_sleep_ends_early() -> None:
    cancelled = threading.Event()
    threading.Timer(0.05, cancelled.set).start()
    started = time.monotonic()

    with pytest.raises(Cancelled):
        sleep.function(context(cancelled=cancelled), 2)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan"), 10**12])
def test_an_impossible_sleep_is_refused(seconds: float) -> None:
    with pytest.raises(Failed, match="not possible"):
        sleep.function(context(), seconds)
