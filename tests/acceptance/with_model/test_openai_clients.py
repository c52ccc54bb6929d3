"""The unmodified `openai` package drives Perdure: chat, responses, in the background, resumed, cancelled, approved."""

from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

from tests.scripted_model import ScriptedModel, plan, text
from tests.stack import Stack

SUM = plan({"steps": [{"id": "s1", "tool": "calculate", "arguments": {"expression": "6*7"}}]})


@pytest.fixture
def client(stack_with_model: Stack) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{stack_with_model.url}/v1", api_key="any", max_retries=0) as made:
        yield made


def run_of(stack: Stack, response_id: str) -> dict[str, Any]:
    run = httpx2.get(f"{stack.url}/api/runs/{response_id.removeprefix('resp_').removeprefix('chatcmpl-')}")
    return dict(run.json())


def test_agents_are_models(stack_with_model: Stack, client: openai.OpenAI) -> None:
    httpx2.put(f"{stack_with_model.url}/api/agents/helper", json={"instructions": "Help."})

    assert {"perdure", "helper"} <= {model.id for model in client.models.list()}
    assert client.models.retrieve("helper").id == "helper"


def test_a_chat_is_answered_with_the_turns_before_it(client: openai.OpenAI, model: ScriptedModel) -> None:
    model.says(SUM, text("It is 42."))
    reply = client.chat.completions.create(
        model="perdure",
        messages=[
            {"role": "system", "content": "Answer like a pirate."},
            {"role": "user", "content": "My name is Ada."},
            {"role": "assistant", "content": "Hello Ada."},
            {"role": "user", "content": [{"type": "text", "text": "Six times seven?"}]},
        ],
    )
    answering = model.chats[-1].said

    assert reply.choices[0].message.content == "It is 42."
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage and reply.usage.total_tokens > 0
    assert "Answer like a pirate." in answering and "My name is Ada." in answering


def test_a_chat_streams(client: openai.OpenAI, model: ScriptedModel) -> None:
    model.says(SUM, text("It is forty two.", delay=0.1))
    stream = client.chat.completions.create(
        model="perdure",
        messages=[{"role": "user", "content": "Six times seven?"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]

    assert "".join(pieces) == "It is forty two."
    assert sum(bool(piece) for piece in pieces) > 1
    assert chunks[-1].usage and chunks[-1].usage.completion_tokens > 0
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"


def test_a_response_and_one_that_follows_it(
    stack_with_model: Stack, client: openai.OpenAI, model: ScriptedModel
) -> None:
    model.says(SUM, text("It is 42."), plan({"steps": []}), text("As I said, 42."))
    first = client.responses.create(model="perdure", input="Six times seven?", metadata={"team": "red"})
    second = client.responses.create(model="perdure", input="Again?", previous_response_id=first.id)

    assert (first.status, first.output_text) == ("completed", "It is 42.")
    assert second.output_text == "As I said, 42."
    assert first.usage and first.usage.total_tokens > 0
    assert "It is 42." in model.chats[-1].said
    assert run_of(stack_with_model, first.id)["labels"] == {"team": "red"}


def test_a_stream_is_resumed_where_it_was_left(client: openai.OpenAI, model: ScriptedModel) -> None:
    model.says(SUM, text("It is forty two and no other number.", delay=0.08))
    seen: list[Any] = []
    with client.responses.create(model="perdure", input="Six times seven?", stream=True, background=True) as stream:
        for event in stream:
            seen.append(event)
            if event.type == "response.output_text.delta":
                break
    rest = list(client.responses.retrieve(seen[0].response.id, stream=True, starting_after=seen[-1].sequence_number))
    numbers = [event.sequence_number for event in seen + rest]

    assert numbers == list(range(len(numbers)))
    deltas = [event.delta for event in seen + rest if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "It is forty two and no other number."
    assert rest[-1].type == "response.completed"
    assert rest[-1].response.output_text == "It is forty two and no other number."


def test_a_background_response_is_looked_at_and_cancelled(client: openai.OpenAI, model: ScriptedModel) -> None:
    model.says(plan({"steps": [{"id": "s1", "tool": "sleep", "arguments": {"seconds": 60}}]}))
    started = client.responses.create(model="perdure", input="Sleep", background=True)
    looked = client.responses.retrieve(started.id)
    client.responses.cancel(started.id)

    assert started.status in ("queued", "in_progress")
    assert looked.status in ("queued", "in_progress")
    for _ in range(100):
        if client.responses.retrieve(started.id).status == "cancelled":
            break
    assert client.responses.retrieve(started.id).status == "cancelled"


def test_errors_come_in_openais_envelope(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.responses.create(model="nobody", input="Hello")
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve("resp_unknown")
    with pytest.raises(openai.BadRequestError) as picture:
        client.chat.completions.create(
            model="perdure",
            messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a/b.png"}}]}],
        )
    with pytest.raises(openai.BadRequestError) as tools:
        client.chat.completions.create(
            model="perdure",
            messages=[{"role": "user", "content": "Hi"}],
            tools=[{"type": "function", "function": {"name": "f"}}],
        )

    assert "nobody" in unknown.value.message
    assert picture.value.param == "messages.0.content"
    assert tools.value.param == "tools"


def test_a_failed_run_is_a_failed_response_and_an_error_of_a_chat(
    stack_with_model: Stack, client: openai.OpenAI, model: ScriptedModel
) -> None:
    broken = text("no plan at all")
    model.says(broken, broken)
    response = client.responses.create(model="perdure", input="Break")
    model.says(broken, broken)
    with pytest.raises(openai.UnprocessableEntityError) as failed:
        client.chat.completions.create(model="perdure", messages=[{"role": "user", "content": "Break"}])

    assert response.status == "failed"
    assert response.error and "plan" in response.error.message
    assert failed.value.code == "run_failed"


def test_an_approval_is_an_item_and_its_answer_lets_the_run_go_on(
    stack_with_model: Stack, client: openai.OpenAI, model: ScriptedModel
) -> None:
    url = f"{stack_with_model.url}/api/policies"
    # a rule holds for a second after it is gone: not for a tool that the next test calls
    rule = httpx2.post(url, json={"decision": "ask", "tool": "noop", "position": 1}).json()
    try:
        model.says(plan({"steps": [{"id": "s1", "tool": "noop", "arguments": {}}]}), text("It is 42."))
        asking = client.responses.create(model="perdure", input="Six times seven?")
        (item,) = [one for one in asking.output if one.type == "mcp_approval_request"]
        answer: Any = {"type": "mcp_approval_response", "approval_request_id": item.id, "approve": True}
        done = client.responses.create(model="perdure", previous_response_id=asking.id, input=[answer])
    finally:
        httpx2.delete(f"{url}/{rule['id']}")

    assert (asking.status, item.name) == ("in_progress", "noop")
    assert (done.status, done.output_text) == ("completed", "It is 42.")
