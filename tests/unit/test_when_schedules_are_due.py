"""When a schedule is due: across changes of the clock in both directions, and what makes no sense."""

from datetime import UTC, datetime
from itertools import islice

import pytest

from services.errors import BadInput
from services.schedules import calendar
from services.schedules.calendar import Timing


def slots(cron: str, zone: str, after: str, count: int = 3) -> list[str]:
    timing = Timing(cron, timezone=zone)
    return [slot.strftime("%d %H:%M") for slot in islice(timing.after(datetime.fromisoformat(after)), count)]


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        # 2026-03-29, 2:00 → 3:00 in Berlin: what is fixed in the gap is due at its end, once
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", ["29 01:00", "30 00:30", "31 00:30"]),
        # 2026-10-25, 3:00 → 2:00: once
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", ["25 00:30", "26 01:30", "27 01:30"]),
        # 2026-03-08, 2:00 → 3:00 in New York
        ("15 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", ["08 07:00", "09 06:15", "10 06:15"]),
        # 2026-11-01, 2:00 → 1:00
        ("15 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", ["01 05:15", "02 06:15", "03 06:15"]),
        # a wildcard goes on through both hours
        ("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", ["25 00:30", "25 01:00", "25 01:30"]),
        ("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", ["29 00:30", "29 01:00", "29 01:30"]),
        ("0 9 * * 1-5", "Asia/Tokyo", "2026-11-20T00:30:00Z", ["23 00:00", "24 00:00", "25 00:00"]),
    ],
)
def test_fixed_times_are_due_once_whatever_the_clock_does(
    cron: str, zone: str, after: str, expected: list[str]
) -> None:
    assert slots(cron, zone, after) == expected


def test_no_slot_comes_twice_in_a_year_of_any_zone() -> None:
    for zone in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe"):
        found = list(islice(Timing("*/20 * * * *", timezone=zone).after(datetime(2026, 1, 1, tzinfo=UTC)), 26_000))

        assert len(set(found)) == len(found)
        assert found == sorted(found)


def test_an_interval_counts_from_its_start_and_a_moment_comes_once() -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    every = Timing(every=90, start=start)
    once = Timing(at=start)

    assert [slot.second for slot in islice(every.after(datetime(2026, 5, 1, 0, 2, tzinfo=UTC)), 2)] == [0, 30]
    assert list(once.after(datetime(2026, 4, 1, tzinfo=UTC))) == [start]
    assert list(once.after(start)) == []


@pytest.mark.parametrize(
    ("timing", "field"),
    [
        (Timing(), "cron"),
        (Timing("* * * * *", every=5), "cron"),
        (Timing("* * * * * *"), "cron"),
        (Timing("61 * * * *"), "cron"),
        (Timing("0 0 31 2 *"), "cron"),
        (Timing("0 0 * * *", timezone="Mars/Olympus"), "timezone"),
        (Timing("0 0 * * *", timezone="../etc/passwd"), "timezone"),
        (Timing(every=0.1), "every"),
        (Timing(at=datetime(2026, 1, 1)), "at"),  # noqa: DTZ001 (that is the fault)
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(timing: Timing, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        calendar.check(timing)

    assert refused.value.errors[0].pointer == f"#/{field}"


def test_it_is_explained_in_plain_english() -> None:
    assert Timing("0 9 * * 1-5", timezone="Asia/Tokyo").explained() == (
        "At 09:00 on Monday through Friday (Asia/Tokyo)"
    )
