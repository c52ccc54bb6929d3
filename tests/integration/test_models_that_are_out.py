"""When a model is out, the next one answers; what fails again and again is left alone for a while, and tried again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.errors import Failed, Retryable
from services.model import provider
from services.model.shapes import Message
from tests.environment import environment
from tests.scripted_model import Recorded, Reply, ScriptedModel, failing, rate_limited, text

KEY = "sk-canary-1234567890"
ASK: list[Message] = [{"role": "user", "content": "How are you?"}]
SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}


@contextmanager
def two_models(first: Reply, second: Reply, **settings: str) -> Iterator[tuple[ScriptedModel, ScriptedModel]]:
    """The model that is meant, and its fallback at another address."""
    with ScriptedModel(lambda request: first) as meant, ScriptedModel(lambda request: second) as fallback:
        named = {"PERDURE_FALLBACK_MODELS": f"spare@{fallback.base_url}", "PERDURE_MODEL": "small", **settings}
        with environment(OPENAI_BASE_URL=meant.base_url, OPENAI_API_KEY=KEY, **named):
            yield meant, fallback


@pytest.mark.parametrize("outage", [failing(503), rate_limited(30), Reply(raw="<html>", status=200)])
def test_the_fallback_answers_while_the_model_is_out(outage: Reply) -> None:
    with two_models(outage, text("Fine.")) as (_, fallback):
        assert provider.complete(ASK).text == "Fine."
        assert "".join(provider.stream(ASK)) == "Fine."
        assert provider.complete(ASK, schema=SCHEMA).text == "Fine."

    assert fallback.chats[0].body["model"] == "spare"


def test_another_endpoint_never_sees_the_key() -> None:
    with two_models(failing(503), text("Fine.")) as (_, fallback):
        provider.complete(ASK)

    assert KEY not in str(fallback.requests[0].headers)


def test_a_model_that_hangs_leaves_time_for_the_next() -> None:
    began = time.monotonic()
    with two_models(text("Late.", hang=30), text("Fine.")):
        assert provider.complete(ASK, timeout=4).text == "Fine."
        assert "".join(provider.stream(ASK, timeout=4)) == "Fine."

    assert time.monotonic() - began < 7


def test_what_is_no_outage_is_not_asked_of_another_model() -> None:
    with two_models(failing(401), text("Fine.")) as (_, fallback), pytest.raises(Failed):
        provider.complete(ASK)

    assert fallback.requests == []


def test_when_all_are_out_the_last_one_says_so() -> None:
    with two_models(failing(503), failing(500)) as (_, fallback), pytest.raises(Retryable) as outage:
        provider.complete(ASK)

    assert f"127.0.0.1:{fallback.port}" in outage.value.detail


def test_what_fails_again_and_again_is_left_alone_and_then_tried_by_one_call() -> None:
    with two_models(failing(503), text("Fine."), PERDURE_BREAKER_FAILURES="3", PERDURE_BREAKER_SECONDS="2") as models:
        meant, _ = models
        provider.complete(ASK)
        asked = len(meant.requests)
        for _ in range(3):
            assert provider.complete(ASK).text == "Fine."
        left_alone = len(meant.requests)
        time.sleep(2.1)
        provider.complete(ASK)

        assert (asked, left_alone) == (3, 3)
        assert len(meant.requests) == 4


def test_a_model_that_is_back_is_asked_again() -> None:
    broken = [True]

    def says(request: Recorded) -> Reply:
        return failing(503) if broken[0] else text("Back.")

    with ScriptedModel(says) as model:
        named = {"PERDURE_BREAKER_FAILURES": "2", "PERDURE_BREAKER_SECONDS": "2", "PERDURE_MODEL": "small"}
        with environment(OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY=KEY, **named):
            with pytest.raises(Retryable) as alone:
                provider.complete(ASK)
            broken[0] = False
            with pytest.raises(Retryable):
                provider.complete(ASK)
            time.sleep(2.1)

            assert "left alone" in alone.value.detail
            assert [provider.complete(ASK).text for _ in range(2)] == ["Back.", "Back."]
