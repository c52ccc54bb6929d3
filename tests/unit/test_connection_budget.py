"""The connections that a deployment may open are counted, printed, and refused when the plan has fewer."""

import pytest

from services import connection_budget, settings
from services.errors import Misconfigured
from tests.environment import environment


def test_the_budget_counts_every_process_and_the_overlap_of_a_deploy() -> None:
    with environment(
        DB_POOL_SIZE="3", WEB_CONCURRENCY="2", PERDURE_PROCESSES="web=2, execution=3", DB_MAX_CONNECTIONS="60"
    ):
        budget = connection_budget.check()

    assert budget.parts == {"web": 12, "planning": 3, "execution": 9, "reflection": 3, "scheduler": 3}
    assert (budget.total, budget.at_a_deploy) == (31, 61)
    assert "at most 31 of 60 allowed" in str(budget) and "some will wait" in str(budget)


def test_more_than_the_plan_has_is_refused_with_what_to_change() -> None:
    with (
        environment(DB_POOL_SIZE="8", WEB_CONCURRENCY="2", DB_MAX_CONNECTIONS="20"),
        pytest.raises(Misconfigured, match=r"at most 49 of 20 allowed.*Lower DB_POOL_SIZE \(now 8\)"),
    ):
        connection_budget.check()


def test_without_a_limit_it_is_only_told() -> None:
    with environment(DB_MAX_CONNECTIONS=None):
        assert "DB_MAX_CONNECTIONS is not set" in str(connection_budget.check())


@pytest.mark.parametrize(
    "wrong, said", [("worker=2", "'worker'"), ("execution", "PERDURE_PROCESSES"), ("execution=x", "PERDURE_PROCESSES")]
)
def test_nonsense_is_refused_by_name(wrong: str, said: str) -> None:
    with environment(PERDURE_PROCESSES=wrong), pytest.raises(Misconfigured, match=said):
        connection_budget.check()


@pytest.mark.parametrize(
    "dyno, given, used",
    [
        (None, "postgres://u:p@host/d", "postgresql+psycopg://u:p@host/d"),
        ("web.1", "postgres://u:p@host/d", "postgresql+psycopg://u:p@host/d?sslmode=require"),
        ("web.1", "postgresql://u@host/d?sslmode=verify-full", "postgresql+psycopg://u@host/d?sslmode=verify-full"),
        (
            "web.1",
            "postgresql://u@host/d?options=-c%20a%3Db",
            "postgresql+psycopg://u@host/d?options=-c%20a%3Db&sslmode=require",
        ),
        ("web.1", "postgres://127.0.0.1/d", "postgresql+psycopg://127.0.0.1/d"),
    ],
)
def test_a_dyno_speaks_tls_to_postgres_unless_told_otherwise(dyno: str | None, given: str, used: str) -> None:
    with environment(DYNO=dyno, DATABASE_URL=given):
        assert settings.current().database == used


@pytest.mark.parametrize(
    "name, wrong", [("REDIS_URL", "http://x"), ("BROKER_URL", "kafka://x"), ("DATABASE_URL", "mysql://x")]
)
def test_a_scheme_that_nobody_speaks_is_refused_by_name(name: str, wrong: str) -> None:
    with environment(**{name: wrong}), pytest.raises(Misconfigured, match=f"{name}.*must start with"):
        settings.current()
