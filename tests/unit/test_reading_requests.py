"""How the gateway reads bodies, parameters and cursors, and how it answers when it can't."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from gateway import bodies, problems, queries
from gateway.command_line.run_view import RunView, harmless
from gateway.memory import AddRequest
from gateway.run_requests import StartRequest
from gateway.streams import following
from gateway.streams.frames import Frame
from gateway.streams.inbox import LIMIT, Inbox
from services.errors import BadInput, NotAuthenticated, Unavailable

app = Flask(__name__)


def read(shape: Any, body: bytes) -> Any:
    with app.test_request_context("/", method="POST", data=body, content_type="application/json"):
        return bodies.read(shape)[0]


class Listed(queries.Query):
    """A list in pages."""

    cursor: queries.Cursor | None = None


def cursor_in(query: Any) -> Any:
    with app.test_request_context("/", query_string=query):
        return queries.place(queries.read(Listed).cursor)


@given(st.integers(0, 10**17 - 1), st.uuids())
def test_a_cursor_reads_back_as_the_row_it_was_made_of(microseconds: int, row_id: Any) -> None:
    moment = queries.EPOCH + timedelta(microseconds=microseconds)
    assert cursor_in({"cursor": queries.cursor_of(moment, row_id)}) == (moment, row_id)


@given(st.from_regex(r"[0-9]{1,17}-[0-9a-f]{32}", fullmatch=True))
def test_whatever_looks_like_a_cursor_is_one(text: str) -> None:
    assert cursor_in({"cursor": text}) is not None


@given(st.text())
def test_anything_else_is_refused_as_a_cursor(text: str) -> None:
    try:
        assert cursor_in({"cursor": text}) is None and not text
    except BadInput as refused:
        assert refused.errors[0].pointer == "?cursor"


@given(st.binary(max_size=200))
def test_no_bytes_at_all_break_the_reading_of_a_body(body: bytes) -> None:
    try:
        read(StartRequest, body)
    except BadInput as refused:
        assert refused.detail


def test_a_pointer_escapes_what_json_pointers_reserve() -> None:
    with pytest.raises(BadInput) as refused:
        read(StartRequest, b'{"request": "x", "a/b~c": 1}')

    assert refused.value.errors[0].pointer == "#/a~1b~0c"


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadInput) as refused:
        read(StartRequest, b'{"request": 1, "userId": 2, "x": 3}')

    assert {error.pointer for error in refused.value.errors} == {"#/request", "#/userId", "#/x"}
    assert "(and 2 more)" in refused.value.detail


@pytest.mark.parametrize("body", [b"{}", b'{"text": "a", "items": [{"text": "b"}]}', b'{"items": []}'])
def test_memories_come_one_or_many_but_not_both_or_none(body: bytes) -> None:
    with pytest.raises(BadInput):
        read(AddRequest, body)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(BadInput) as refused:
        read(AddRequest, b'{"text": "a", "at": "2026-01-01T00:00:00"}')

    assert refused.value.errors[0].pointer == "#/at"


def test_problems_say_what_to_do_next_in_headers_too() -> None:
    with app.app_context():
        unauthorised, away = problems.response(NotAuthenticated("no")), problems.response(Unavailable("away"))

    assert unauthorised.headers["WWW-Authenticate"].startswith("Bearer") and away.headers["Retry-After"] == "2"
    assert unauthorised.content_type == "application/problem+json"


def test_an_inbox_that_overflows_forgets_and_says_so() -> None:
    inbox = Inbox()
    inbox.offer([Frame(number, "{}") for number in range(LIMIT)])
    inbox.offer([Frame(LIMIT, "{}")])

    assert inbox.overflowed and inbox.take(0) == []
    inbox.empty()
    inbox.offer([Frame(1, "{}")])
    assert not inbox.overflowed and len(inbox.take(0)) == 1


@pytest.mark.parametrize(
    ("numbers", "continues"), [([4, 5], True), ([], True), ([5], False), ([4, 6], False), ([4, 4], False)]
)
def test_only_the_very_next_events_are_passed_on_without_the_journal(numbers: list[int], continues: bool) -> None:
    assert following._continues([Frame(number, "{}") for number in numbers], 3) is continues


def test_an_event_without_its_body_sends_us_to_the_journal() -> None:
    assert not following._continues([Frame(4)], 3)


def test_what_a_model_wrote_can_not_command_the_terminal() -> None:
    assert harmless("a\x1b]0;title\x07b\nc\x9b2J") == "a\ufffd]0;title\ufffdb\nc\ufffd2J"


def test_a_second_attempt_at_an_answer_replaces_the_first() -> None:
    view = RunView()
    for attempt, text in ((1, "half"), (2, "who"), (2, "le")):
        view.take({"name": "answer.delta", "stepId": None, "data": {"text": text, "attempt": attempt}})

    assert view.answer == "whole"


def test_a_run_id_that_is_none_is_not_found_rather_than_an_error() -> None:
    from services.errors import NotFound
    from services.journal import runs

    with pytest.raises(NotFound):
        runs.parse_id(f"{uuid4()}x")
