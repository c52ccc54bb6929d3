"""The tool `echo`: gives back what it is given; for tests, demonstrations and gathering values in a caller's plan."""

from typing import Any

import orjson

from services.tools.contract import tool


@tool(effect="pure", instant=True, timeout=10, capabilities=["say something back"], examples=["Echo “hello”"])
def echo(value: Any) -> dict[str, Any]:
    """Give back `value`, any JSON, under the key `value`; `text` is the same as text."""
    return {"value": value, "text": value if isinstance(value, str) else orjson.dumps(value).decode()}
