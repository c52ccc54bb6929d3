"""The tools of tests/side_effect_tools.py after a deploy that has changed some of them. For PERDURE_TOOLS."""

from typing import Any

from services.tools.contract import ToolContext, tool


@tool(effect="idempotent", migrate=lambda old: {"pause": old.get("seconds", 0)})
def keyed_effect(context: ToolContext, pause: float) -> dict[str, Any]:
    """Its argument has another name, and it knows the old one."""
    return {"step": context.step_id, "pause": pause}


@tool(effect="unsafe")
def slow_effect(context: ToolContext, seconds: float = 0.3) -> dict[str, Any]:
    """Its effect is another."""
    return {"step": context.step_id}


@tool(effect="pure")
def fails_at_first(context: ToolContext, count: int) -> dict[str, Any]:
    """Its argument has another name, and it does not know the old one."""
    return {"count": count}


@tool(effect="pure", untrusted=True)
def reads_outside(context: ToolContext, text: str = "hello", more: bool = False) -> dict[str, Any]:
    """It takes what it took, and more."""
    return {"text": text}
