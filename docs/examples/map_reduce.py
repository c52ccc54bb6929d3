"""Map and reduce over documents: `python docs/examples/map_reduce.py "What do these have in common?" notes/*.txt`."""

import sys
from pathlib import Path
from typing import Any

from gateway.command_line import door


def plan(question: str, documents: list[str]) -> dict[str, Any]:
    """A child run for each document, side by side; their notes are put together. A document that fails is left out."""
    asked = {"question": f"{question} Note what bears on it.", "material": "${item}"}
    read = {"id": "read", "tool": "think", "arguments": asked}
    return {
        "steps": [
            {"id": "documents", "tool": "echo", "arguments": {"value": documents}},
            {
                "id": "map",
                "tool": "delegate",
                "forEach": "${documents.value}",
                "arguments": {"plan": {"steps": [read]}, "supervision": "ignore"},
            },
            {
                "id": "reduce",
                "tool": "think",
                "arguments": {"question": question, "material": "${map[?status == 'succeeded'].outputs.read.text}"},
            },
        ]
    }


def main() -> None:
    """Read the files, start the run, print the answer."""
    question, *files = sys.argv[1:]
    with door.client(None, None) as client:
        documents = [Path(file).read_text(encoding="utf-8") for file in files]
        started = client.start(plan=plan(question, documents))
        for event in client.events(started["workflowId"]):
            if event["name"] == "child.ended":
                print(event["stepId"], event["data"]["status"], file=sys.stderr)
        print(client.get(started["workflowId"])["answer"])


if __name__ == "__main__":
    main()
