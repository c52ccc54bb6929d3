"""Points in time, spans of days, and names in queries."""

from datetime import UTC, datetime

import pytest

from services.memory import questions

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    "query", ["When did Ole paint the shed?", "In which month was it?", "How long has she lived there?"]
)
def test_a_question_for_a_time_is_seen(query: str) -> None:
    assert questions.asks_when(query)


@pytest.mark.parametrize("query", ["What did Ole paint?", "Tell me about last week", "Whenever"])
def test_other_questions_do_not_ask_for_a_time(query: str) -> None:
    assert not questions.asks_when(query)


@pytest.mark.parametrize(
    ("query", "start", "end"),
    [
        ("What did I do in May 2023?", "2023-05-01", "2023-06-01"),
        ("What happened on 8 May 2023?", "2023-05-08", "2023-05-09"),
        ("what did I say yesterday", "2026-03-17", "2026-03-18"),
        ("What did I do last week?", "2026-03-09", "2026-03-16"),
        ("my plans this month", "2026-03-01", "2026-04-01"),
        ("Where was I last year?", "2025-01-01", "2026-01-01"),
        ("Who won in 2019?", "2019-01-01", "2020-01-01"),
    ],
)
def test_days_that_a_query_speaks_of_become_a_span(query: str, start: str, end: str) -> None:
    span = questions.span(query, NOW)

    assert span is not None
    assert (span.start.date().isoformat(), span.end.date().isoformat()) == (start, end)


@pytest.mark.parametrize("query", ["What colour is the shed?", "Room 2019", "the 31st of February"])
def test_a_query_without_days_has_no_span(query: str) -> None:
    assert questions.span(query, NOW) is None


def test_a_name_is_taken_out_with_its_genitive() -> None:
    assert questions.without_name("What is Mira's dog called?", "Mira") == "What is dog called?"
    assert questions.without_name("Miranda sings", "Mira") == "Miranda sings"
    assert questions.without_name("Mira", "Mira") == "Mira"
