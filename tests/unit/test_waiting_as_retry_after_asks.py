"""The Retry-After header as seconds."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from services import clock
from services.network import retry_after


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("1e9", 86_400.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
    ],
)
def test_numbers_are_seconds_within_a_day_and_nonsense_is_nothing(header: str, seconds: float | None) -> None:
    assert retry_after.seconds({"retry-after": header}) == seconds


def test_a_date_is_the_time_until_then() -> None:
    date = format_datetime(clock.now() + timedelta(seconds=90), usegmt=True)

    assert retry_after.seconds({"retry-after": date}) == pytest.approx(90, abs=3)


def test_no_header_is_nothing() -> None:
    assert retry_after.seconds({}) is None
