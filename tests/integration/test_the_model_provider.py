"""The provider against a scripted model over real HTTP: answers, forms, streams, vectors, every kind of failure."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from services import clock
from services.errors import Failed, Retryable
from services.model import context, provider
from services.model.shapes import Message, Usage
from tests.environment import environment
from tests.scripted_model import Reply, Script, ScriptedModel, failing, plan, rate_limited, text

KEY = "sk-canary-1234567890"
ASK: list[Message] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How are you?"}]
SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}


@contextmanager
def scripted(
    script: Script = (), formats: tuple[str, ...] = ("json_schema", "json_object", "text")
) -> Iterator[ScriptedModel]:
    with ScriptedModel(script, formats=formats) as model:
        with environment(
            OPENAI_BASE_URL=model.base_url,
            OPENAI_API_KEY=KEY,
            PERDURE_MODEL="small",
            PERDURE_EMBEDDING_MODEL="vectors",
            PERDURE_MODEL_TIMEOUT="5",
        ):
            yield model


def test_a_completion_has_text_usage_and_model() -> None:
    with scripted([text("Fine, thanks.")]) as model:
        completion = provider.complete(ASK)

    assert completion.text == "Fine, thanks."
    assert completion.usage == Usage(prompt_tokens=5, completion_tokens=2)
    assert completion.model == "small"
    assert model.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert "response_format" not in model.requests[0].body


def test_a_schema_is_sent_as_the_response_format() -> None:
    with scripted([plan({"ok": True})]) as model:
        completion = provider.complete(ASK, schema=SCHEMA, schema_name="verdict")

    assert completion.text == '{"ok": true}'
    assert model.requests[0].body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert model.requests[0].body["response_format"]["json_schema"]["name"] == "verdict"


@pytest.mark.parametrize(("formats", "tries"), [(("json_object", "text"), 2), (("text",), 3)])
def test_a_server_without_schemas_is_asked_in_words_and_that_is_remembered(
    formats: tuple[str, ...], tries: int
) -> None:
    with scripted([plan({"ok": True}), plan({"ok": False})], formats=formats) as model:
        first = provider.complete(ASK, schema=SCHEMA)
        asked_first = len(model.requests)
        second = provider.complete(ASK, schema=SCHEMA)

    assert (first.text, second.text) == ('{"ok": true}', '{"ok": false}')
    assert (asked_first, len(model.requests)) == (tries, tries + 1)
    assert "JSON Schema" in model.requests[-1].said
    assert [message["role"] for message in model.requests[-1].body["messages"]] == ["system", "user"]


def test_a_request_that_is_refused_in_every_form_names_the_first_reason_and_forgets_nothing() -> None:
    refusals = [failing(400, "context too long"), failing(400, "second"), failing(400, "third"), plan({"ok": True})]
    with scripted(refusals) as model:
        with pytest.raises(Failed, match=r"PERDURE_MODEL.*context too long"):
            provider.complete(ASK, schema=SCHEMA)
        provider.complete(ASK, schema=SCHEMA)

    assert model.requests[-1].body["response_format"]["type"] == "json_schema"


def test_a_rate_limit_is_waited_out_as_the_server_asks() -> None:
    begun = clock.monotonic()
    with scripted([rate_limited(0.6), text("Now.")]) as model:
        completion = provider.complete(ASK)

    assert completion.text == "Now."
    assert len(model.requests) == 2
    assert 0.6 <= clock.monotonic() - begun < 3


def test_a_wait_that_the_deadline_does_not_allow_goes_up_at_once_with_its_length() -> None:
    begun = clock.monotonic()
    with scripted([rate_limited(120)]) as model, pytest.raises(Retryable) as problem:
        provider.complete(ASK)

    assert problem.value.retry_after == 120
    assert len(model.requests) == 1
    assert clock.monotonic() - begun < 2


def test_an_outage_is_tried_three_times() -> None:
    with scripted([failing(500), failing(502), failing(503)]) as model, pytest.raises(Retryable, match="status 503"):
        provider.complete(ASK)

    assert len(model.requests) == 3


def test_an_outage_that_passes_is_not_noticed() -> None:
    with scripted([failing(500), text("Back.")]):
        assert provider.complete(ASK).text == "Back."


@pytest.mark.parametrize(
    ("reply", "setting"),
    [
        (failing(401, f"Incorrect API key provided: {KEY}"), "OPENAI_API_KEY"),
        (failing(403, f"{KEY} may not"), "OPENAI_API_KEY"),
        (failing(404, "no such model"), "PERDURE_MODEL"),
        (failing(400, f"bad request for {KEY} and sk-other-secret-key"), "PERDURE_MODEL"),
        (failing(429, "quota", code="insufficient_quota"), "OPENAI_API_KEY"),
        (Reply(raw="<html>Welcome</html>", headers={"Content-Type": "text/html"}), "OPENAI_BASE_URL"),
        (Reply(raw='{"error": "overloaded"}'), "OPENAI_BASE_URL"),
    ],
)
def test_what_no_retry_helps_fails_at_once_names_the_setting_and_holds_no_secret(reply: Reply, setting: str) -> None:
    with scripted([reply]) as model, pytest.raises(Failed) as problem:
        provider.complete(ASK)

    assert setting in problem.value.detail
    assert "sk-" not in problem.value.detail
    assert problem.value.__cause__ is None
    assert len(model.requests) == 1


def test_malformed_json_on_the_wire_is_an_outage() -> None:
    with scripted([Reply(raw="{not json")] * 3), pytest.raises(Retryable, match="not OpenAI's format"):
        provider.complete(ASK)


def test_silence_ends_at_the_timeout() -> None:
    begun = clock.monotonic()
    with scripted([Reply(hang=10)]), pytest.raises(Retryable, match="in time"):
        provider.complete(ASK, timeout=0.5)

    assert clock.monotonic() - begun < 1.5


def test_a_server_that_is_not_there_is_an_outage_that_names_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    with environment(OPENAI_BASE_URL=f"http://127.0.0.1:{port}/v1", OPENAI_API_KEY=None):
        with pytest.raises(Retryable, match="OPENAI_BASE_URL"):
            provider.complete(ASK)


def test_a_base_url_needs_no_key() -> None:
    with scripted([text("Hello.")]) as model, environment(OPENAI_API_KEY=None, OPENAI_BASE_URL=model.base_url):
        assert provider.complete(ASK).text == "Hello."


def test_without_key_and_url_the_settings_are_named() -> None:
    with environment(OPENAI_API_KEY=None, OPENAI_BASE_URL=None), pytest.raises(Failed, match="OPENAI_API_KEY"):
        provider.complete(ASK)


def test_a_stream_comes_piece_by_piece_and_ends_with_its_usage() -> None:
    times: list[float] = []
    with scripted([Reply(chunks=["Fine, ", "thank ", "you."], delay=0.15)]):
        answer = provider.stream(ASK)
        pieces = []
        for piece in answer:
            pieces.append(piece)
            times.append(clock.monotonic())

    assert pieces == ["Fine, ", "thank ", "you."]
    assert answer.usage == Usage(prompt_tokens=5, completion_tokens=3)
    assert all(later - earlier > 0.1 for earlier, later in pairwise(times))


def test_a_stream_that_breaks_off_is_retryable_and_what_came_was_given() -> None:
    pieces: list[str] = []
    with scripted([text("one two three", truncate=True)]), pytest.raises(Retryable, match="broke off"):
        for piece in provider.stream(ASK):
            pieces.append(piece)

    assert "".join(pieces) == "one two three"


def test_a_stream_that_fails_before_its_first_piece_is_tried_again() -> None:
    with scripted([failing(500), Reply(chunks=[], truncate=True), text("Here.")]) as model:
        assert "".join(provider.stream(ASK)) == "Here."

    assert len(model.requests) == 3


def test_a_stream_that_stalls_ends_at_the_timeout() -> None:
    begun = clock.monotonic()
    with scripted([Reply(chunks=["a "] * 50, delay=0.2)]), pytest.raises(Retryable, match="in time"):
        list(provider.stream(ASK, timeout=0.7))

    assert clock.monotonic() - begun < 1.5


def test_a_server_that_cannot_count_streams_is_asked_without() -> None:
    def reply(request: object) -> Reply:
        refused = "stream_options" in model.requests[-1].body
        return failing(400, "unknown stream_options") if refused else text("Plain.")

    with scripted(reply) as model:
        first = "".join(provider.stream(ASK))
        second = "".join(provider.stream(ASK))

    assert (first, second) == ("Plain.", "Plain.")
    assert len(model.requests) == 3


def test_vectors_come_in_the_order_of_the_texts() -> None:
    texts = [f"text number {number}" for number in range(200)]
    with scripted() as model:
        vectors = provider.embed(texts)
        alone = provider.embed(["text number 150"])

    assert len(vectors) == 200
    assert vectors[150] == pytest.approx(alone[0])
    assert [len(request.body["input"]) for request in model.requests] == [128, 72, 1]
    assert model.requests[0].body["model"] == "vectors"


def test_vectors_without_a_model_name_the_setting() -> None:
    with scripted(), environment(PERDURE_EMBEDDING_MODEL=None), pytest.raises(Failed, match="PERDURE_EMBEDDING_MODEL"):
        provider.embed(["a"])


def test_sampling_and_the_room_for_a_reply_are_settings() -> None:
    with scripted([text("Fine."), text("Fine."), text("Fine.")]) as model:
        with environment(PERDURE_CONTEXT_TOKENS="4096", PERDURE_TEMPERATURE="0", PERDURE_SEED="7"):
            provider.complete(ASK)
            list(provider.stream(ASK))
        provider.complete(ASK)
    named, streamed, bare = (request.body for request in model.requests)

    assert (named["temperature"], named["seed"], named["max_tokens"]) == (0, 7, 1_024)
    assert (streamed["temperature"], streamed["seed"], streamed["max_tokens"]) == (0, 7, 1_024)
    assert not {"temperature", "top_p", "seed", "max_tokens"} & bare.keys()


def test_a_small_context_cuts_what_a_prompt_may_hold() -> None:
    with environment(PERDURE_CONTEXT_TOKENS="2048"):
        assert context.room(0.5, 40_000) == 3_072
    assert context.room(0.5, 40_000) == 40_000
