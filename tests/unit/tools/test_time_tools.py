"""The tools `current_time` and `time_difference`: places by many names, both sides of midnight, unknown places."""

from datetime import UTC, datetime

import pytest
import time_machine

from execution_worker.tools.current_time import current_time
from execution_worker.tools.time_difference import time_difference
from services.errors import Failed

SUMMER = datetime(2026, 5, 20, 14, 30, tzinfo=UTC)
WINTER = datetime(2026, 1, 20, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("place", "time"),
    [
        ("Tokyo", "23:30"),
        ("tokyo", "23:30"),
        ("Asia/Tokyo", "23:30"),
        ("asia/tokyo", "23:30"),
        ("Japan", "23:30"),
        ("New York", "10:30"),
        ("NYC", "10:30"),
        ("EST", "10:30"),
        ("eastern time", "10:30"),
        ("California", "07:30"),
        ("São Paulo", "11:30"),
        ("sao paulo", "11:30"),
        ("Bombay", "20:00"),
        ("the UK", "15:30"),
        ("England", "15:30"),
        ("London, Ontario", "10:30"),
        ("Paris, Texas", "09:30"),
        ("Paris", "16:30"),
        ("Portland, Oregon", "07:30"),
        ("UTC", "14:30"),
        ("UTC+5:30", "20:00"),
        ("GMT-3", "11:30"),
        ("Kathmandu", "20:15"),
        ("Reykjavik", "14:30"),
        ("Kyiv", "17:30"),
        ("Ho Chi Minh City", "21:30"),
        ("Washington DC", "10:30"),
    ],
)
@time_machine.travel(SUMMER, tick=False)
def test_a_place_is_known_by_its_many_names(place: str, time: str) -> None:
    assert current_time.function(place)["time"] == time


@time_machine.travel(SUMMER, tick=False)
def test_the_answer_names_day_and_offset() -> None:
    text = current_time.function("Sydney")["text"]

    assert text == "It is 00:30 on Thursday 21 May 2026 in Sydney (UTC+10)."


def test_daylight_saving_is_kept() -> None:
    with time_machine.travel(WINTER, tick=False):
        winter = current_time.function("London")["utc_offset"]
    with time_machine.travel(SUMMER, tick=False):
        summer = current_time.function("London")["utc_offset"]

    assert (winter, summer) == ("UTC+0", "UTC+1")


@pytest.mark.parametrize("place", ["Narnia", "", "UTC+99", "x" * 500, "../../etc/passwd"])
def test_an_unknown_place_is_refused_with_what_would_be_right(place: str) -> None:
    with pytest.raises(Failed, match="Europe/Paris"):
        current_time.function(place)


@pytest.mark.parametrize(
    ("source", "target", "hours", "says"),
    [
        ("Berlin", "Tokyo", 7, "Tokyo is 7 hours ahead of Berlin."),
        ("New York", "Mumbai", 9.5, "Mumbai is 9 hours and 30 minutes ahead of New York City."),
        ("London", "Los Angeles", -8, "Los Angeles is 8 hours behind London."),
        ("Paris", "Berlin", 0, "Paris and Berlin have the same time."),
    ],
)
@time_machine.travel(SUMMER, tick=False)
def test_two_clocks_are_compared(source: str, target: str, hours: float, says: str) -> None:
    result = time_difference.function(source, target)

    assert (result["hours"], result["text"]) == (hours, says)


@pytest.mark.parametrize(
    ("at", "time", "day"),
    [
        ("9:00", "16:00", 0),
        ("9am", "16:00", 0),
        ("6:45 pm", "01:45", 1),
        ("noon", "19:00", 0),
        ("23:59", "06:59", 1),
        ("12 am", "07:00", 0),
    ],
)
@time_machine.travel(SUMMER, tick=False)
def test_a_time_there_is_told_as_the_time_here(at: str, time: str, day: int) -> None:
    result = time_difference.function("Chicago", "Paris", at)

    assert (result["time"], result["day"]) == (time, day)


@pytest.mark.parametrize("at", ["25:00", "9:75", "13 pm", "soon", "0 am"])
def test_what_is_no_time_of_day_is_refused(at: str) -> None:
    with pytest.raises(Failed, match="no time of day"):
        time_difference.function("Chicago", "Paris", at)


def test_a_difference_to_an_unknown_place_is_refused() -> None:
    with pytest.raises(Failed, match="Mordor"):
        time_difference.function("Paris", "Mordor")
