"""A message into a run that lives: taken in when its steps have ended, as a better plan."""

import time
from uuid import uuid4

from gateway.client import Client
from tests.scripted_model import ScriptedModel, plan, text
from tests.stack import Stack


def test_what_the_user_adds_makes_a_new_revision(stack_with_model: Stack, model: ScriptedModel) -> None:
    model.says(
        plan({"steps": [{"id": "s1", "tool": "sleep", "arguments": {"seconds": 1}}]}),
        plan({"steps": [{"id": "s2", "tool": "calculate", "arguments": {"expression": "6*7"}}]}),
        text("Slept, and 42."),
    )
    with Client(stack_with_model.url) as client:
        conversation = f"c-{uuid4()}"
        first = client.start("Sleep a second", conversationId=conversation)
        time.sleep(0.5)
        added = client.start("And six times seven?", conversationId=conversation, onBusy="steer")
        events = list(client.events(first["workflowId"]))
        run = client.get(first["workflowId"])

    assert (added["workflowId"], added["steered"]) == (first["workflowId"], True)
    assert [step["id"] for step in run["steps"]] == ["s1", "s2"]
    assert run["answer"] == "Slept, and 42."
    assert [event["data"]["text"] for event in events if event["name"] == "run.steered"] == ["And six times seven?"]
    assert "And six times seven?" in model.chats[-2].said and "And six times seven?" in model.chats[-1].said
