"""Asking a running stack over its HTTP API and following the answer over its WebSocket."""

from dataclasses import dataclass
from typing import Any

from gateway.client import Client
from tests.stack import Stack


@dataclass(frozen=True)
class Told:
    """A run as the API shows it once it has ended, and every event that the WebSocket delivered on the way."""

    run: dict[str, Any]
    events: list[dict[str, Any]]

    @property
    def answer(self) -> str:
        return str(self.run["answer"])

    @property
    def tools(self) -> list[str]:
        return [step["tool"] for step in self.run["steps"]]


def ask(stack: Stack, request: str | None = None, **fields: Any) -> Told:
    """Start a run, follow its events to the end, read it."""
    with Client(stack.url) as client:
        run_id = client.start(request, **fields)["workflowId"]
        events = list(client.events(run_id))
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        return Told(client.get(run_id), events)
