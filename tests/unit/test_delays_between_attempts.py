"""The time between two attempts at a message: an expression that can only count, or doubling up to ten minutes."""

import pytest

from services.delivery import retry_delays


@pytest.mark.parametrize(
    ("expression", "attempt", "seconds"),
    [
        ("10", 1, 10),
        ("min(600, 2 ** attempt)", 3, 8),
        ("5 if attempt < 4 else 60", 4, 60),
        ("1e9", 1, 604_800),
    ],
)
def test_an_expression_of_the_attempt_says_how_long(expression: str, attempt: int, seconds: float) -> None:
    assert retry_delays.fault(expression, 5) is None
    assert retry_delays.seconds(expression, attempt) == seconds


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("2 **", "no expression"),
        ("__import__('os')", "__import__"),
        ("attempt.real", "Attribute"),
        ("[1 for _ in 'x']", "ListComp"),
        ("retries", "retries"),
        ("1 - attempt", "after attempt 2"),
        ("1 / (2 - attempt)", "after attempt 2"),
        ("9 ** 9 ** 9 ** 9", "after attempt 1"),
        ("'a' * attempt", "after attempt 1"),
    ],
)
def test_what_is_no_time_is_refused_and_says_why(expression: str, says: str) -> None:
    assert says in (retry_delays.fault(expression, 5) or "")


def test_without_an_expression_it_doubles_up_to_ten_minutes() -> None:
    found = [retry_delays.seconds(None, attempt) for attempt in range(1, 15)]

    assert all(0.75 * 2**n <= wait <= 2**n for n, wait in enumerate(found[:9], 1))
    assert all(450 <= wait <= 600 for wait in found[9:])
