"""The tool `sleep`: waits; short waits in place, longer ones as a timer row that holds no worker."""

from datetime import timedelta
from typing import Any

from services import clock
from services.errors import Failed
from services.phrases import numbers
from services.tools.contract import ToolContext, WaitUntil, tool

IN_PLACE = 2.0
LONGEST = 366 * 86_400


@tool(effect="pure", timeout=30, capabilities=["wait"], examples=["Wait 2 seconds"])
def sleep(context: ToolContext, seconds: float) -> dict[str, Any]:
    """Wait for `seconds` (0 to a year). Up to 2 s are waited in place, more hold no worker."""
    if not 0 <= seconds <= LONGEST:
        raise Failed(f"Waiting {numbers.show(seconds)} seconds is not possible; 0 to {LONGEST} seconds are.")
    if seconds > IN_PLACE and not context.waited:
        raise WaitUntil(clock.now() + timedelta(seconds=seconds))
    if not context.waited:
        context.cancelled.wait(seconds)
    context.check_cancelled()
    return {"seconds": seconds, "text": f"Waited {numbers.show(seconds)} second{'' if seconds == 1 else 's'}."}
