"""Set before everything else when this folder is on PYTHONPATH: every clock of the process is CLOCK_AHEAD seconds off.

Celery, kombu, the standard library and Perdure all see the wrong time, as on a machine whose clock is wrong; intervals
(monotonic) stay right, as there.
"""

import os
from datetime import UTC, datetime, timedelta

import time_machine

_ahead = timedelta(seconds=float(os.environ["CLOCK_AHEAD"]))
time_machine.travel(datetime.now(UTC) + _ahead, tick=True).start()
