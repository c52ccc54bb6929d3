"""The tool that Perdure's workers run in W3: the step that all peers run, with its effect on record."""

from typing import Any

from benchmarks import effects
from services.tools.contract import ToolContext, tool


@tool(effect="idempotent", timeout=30)
def bench_sleep(context: ToolContext, seconds: float) -> dict[str, Any]:
    """Write down an effect, wait, and write down that it is done."""
    with effects.recorded(context.run_id, context.step_id):
        context.cancelled.wait(seconds)
    return {"seconds": seconds, "text": "Waited."}
