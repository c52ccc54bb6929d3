"""A key may ask so often and no more: told by headers, refused with 429, counted here while Redis is away."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from services.access import api_keys, rate_limits
from services.access.api_keys import Limits
from tests.environment import environment


def headers(**limits: int) -> dict[str, str]:
    return {"X-API-Key": api_keys.create("limited", "test", limits=Limits(**limits))[1]}


@pytest.fixture
def redis_away() -> Iterator[None]:
    """Nobody listens at port 1."""
    with environment(REDIS_URL="redis://127.0.0.1:1/0"):
        yield


def test_of_a_burst_so_many_pass_and_the_rest_are_told_when_to_come_back(
    http: FlaskClient, keys_required: None
) -> None:
    mine = headers(per_minute=20)
    answers = [http.get("/api/runs", headers=mine) for _ in range(30)]
    refused = [answer for answer in answers if answer.status_code == 429]

    assert 10 <= len(refused) <= 10 + 20 and [answer.status_code for answer in answers[:1]] == [200]
    assert all(1 <= int(answer.headers["Retry-After"]) <= 60 for answer in refused)
    assert refused[0].content_type == "application/problem+json" and "20 requests a minute" in refused[0].json["detail"]


def test_every_answer_says_what_is_left(http: FlaskClient, keys_required: None) -> None:
    answer = http.get("/api/runs", headers=headers(per_minute=50, per_day=1_000))

    assert answer.headers["RateLimit-Policy"] == '"minute";q=50;w=60, "day";q=1000;w=86400'
    assert (
        answer.headers["RateLimit"].startswith('"minute";r=49;t=') and '"day";r=999;t=' in answer.headers["RateLimit"]
    )


def test_a_quota_for_the_day_ends_too(http: FlaskClient, keys_required: None) -> None:
    mine = headers(per_day=2)
    statuses = [http.get("/api/runs", headers=mine).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


def test_keys_do_not_use_up_each_others_requests(http: FlaskClient, keys_required: None) -> None:
    one, other = headers(per_minute=1), headers(per_minute=1)

    assert [http.get("/api/runs", headers=each).status_code for each in (one, other)] == [200, 200]


def test_without_redis_this_process_counts_by_itself(servers: None, redis_away: None) -> None:
    windows = [rate_limits.count("somebody", Limits(per_minute=2))[0] for _ in range(3)]

    assert [window.exceeded for window in windows] == [False, False, True]


def test_a_silent_redis_is_not_asked_at_every_request(servers: None, redis_away: None) -> None:
    rate_limits.count("anybody", Limits(per_minute=5))

    assert rate_limits._stores().redis_is_away()


def test_where_no_key_is_asked_for_nothing_is_counted(http: FlaskClient) -> None:
    assert "RateLimit" not in http.get("/api/runs").headers
