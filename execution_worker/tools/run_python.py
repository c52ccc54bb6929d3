"""The tool run_python: a piece of Python in the sandbox, over values from earlier steps."""

from typing import Annotated, Any

from pydantic import Field

from execution_worker import sandbox
from services.tools.contract import Retry, tool


@tool(
    effect="pure",
    timeout=60,
    retry=Retry(attempts=1),
    capabilities=["compute with code", "count", "sort", "filter", "transform lists and texts"],
    examples=["Run this Python: sum(range(10))", "Execute the Python code [n * n for n in range(5)]"],
)
def run_python(
    code: Annotated[str, Field(min_length=1, max_length=sandbox.CODE)],
    inputs: dict[Annotated[str, Field(pattern=r"^[A-Za-z_]\w{0,63}$")], Any] | None = None,
) -> dict[str, Any]:
    """Run Python code and give the value of its last expression; the names in `inputs` are its variables.

    A small Python without files, network, classes' metaprogramming, `yield` or third-party modules; `math`, `re`,
    `json` and `datetime` are there. Limits: 5 seconds, 64 MB, 20,000 printed characters.
    Returns {"value", "printed", "text": the value (or what was printed) as text}.
    """
    value, printed = sandbox.run(code, inputs or {})
    return {"value": value, "printed": printed, "text": str(value) if value is not None else printed.strip()}
