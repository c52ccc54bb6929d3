"""The scheduler process: sweeps every second until told to stop. Run any number of them: `python -m …scheduler`."""

import signal
import threading
from types import FrameType

from services import clock, logs, settings
from services.delivery import messages, triggers
from services.journal import signals
from services.metrics import families, story, tally
from services.pipeline import heartbeat, sweeper
from services.schedules import schedules
from services.tracing import export

TIDY_SECONDS = 3_600.0

log = logs.get(__name__)


def main() -> None:
    """Sweep until SIGTERM or SIGINT."""
    stop = threading.Event()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # once is enough
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    logs.configure("scheduler")
    heartbeat.start("scheduler")
    tally.shows(families.SWEEP_AGE, sweeper.age)
    story.begin()
    export.begin("scheduler")
    log.info("Scheduler is ready", worker=heartbeat.worker_id())
    pause = settings.current().sweep_seconds
    tidy_at = clock.monotonic()
    while not stop.wait(pause):
        pause = settings.current().sweep_seconds
        try:
            rung = sweeper.sweep()
            tally.count(families.SWEEPS)
            tally.count(families.RUNG, amount=rung)
            if rung >= sweeper.BATCH:
                pause = 0  # there is more
            if clock.monotonic() >= tidy_at:
                tidy_at = clock.monotonic() + TIDY_SECONDS
                signals.forget_old()
                schedules.forget_old()
                messages.forget_old()
                triggers.forget_old()
        except Exception as error:  # noqa: BLE001 (process edge: the next sweep may find Postgres back)
            log.warning("A sweep failed", error=str(error))
    heartbeat.stop()
    tally.stop()


if __name__ == "__main__":
    main()
