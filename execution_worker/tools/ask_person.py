"""The tool ask_person: put a question to a person; the step sleeps, holding no worker, until the answer is there."""

from typing import Annotated, Any

from pydantic import Field

from services.tools.contract import ToolContext, tool


@tool(
    effect="pure",
    timeout=20,
    capabilities=["ask the user or another person a question and wait for the answer"],
    examples=["Ask me which colour I want"],
)
def ask_person(
    context: ToolContext,
    question: Annotated[str, Field(min_length=1, max_length=5_000, pattern=r"\S")],
    choices: Annotated[list[str], Field(max_length=50)] | None = None,
    expires_in: Annotated[float, Field(gt=0, le=366 * 86_400)] | None = None,
) -> dict[str, Any]:
    """Ask a person and wait for the answer: free, or one of `choices`; `expires_in` seconds at most.

    Returns {"answer", "text": the answer as a text}.
    """
    answer = context.ask(question, choices=choices, seconds=expires_in)
    return {"answer": answer, "text": answer if isinstance(answer, str) else str(answer)}
