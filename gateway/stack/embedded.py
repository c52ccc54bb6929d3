"""The embedded servers as a child process: `python -m gateway.stack.embedded`; up until SIGTERM.

A process of their own, so that they stop in good order even when whoever started the stack is killed with -9.
"""

import signal
import sys
import time
from types import FrameType

from services import settings
from services.errors import PerdureError
from services.pipeline import embedded_servers

_asked_to_stop = False


def main() -> int:
    """Run the servers that the settings don't name; 2 when they can't start."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    current = settings.current()
    try:
        with embedded_servers.running(
            current.home, postgres=current.database_url is None, redis=current.redis_url is None
        ):
            while not _asked_to_stop:
                time.sleep(0.1)
    except PerdureError as error:
        sys.stderr.write(f"{error.detail}\n")
        return 2
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    global _asked_to_stop
    _asked_to_stop = True


if __name__ == "__main__":
    sys.exit(main())
