"""The tool `noop`: does nothing, as fast as it can; a joint in a caller's plan."""

from typing import Any

from services.tools.contract import tool


@tool(effect="pure", instant=True, timeout=10, capabilities=["nothing"])
def noop() -> dict[str, Any]:
    """Do nothing. Useful to join several steps or to measure what a step costs."""
    return {"text": "Nothing was done."}
