"""Retention: ended runs go by age and state, with all that hangs on them; nothing else does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from services import database
from services.errors import BadInput, NotFound
from services.journal import dead_letters, retention, runs
from services.journal.retention import Cleared
from services.journal.runs import RunStatus
from tests.integration.journal.conftest import Hand
from tests.runs import TENANT

MONTH = timedelta(days=30)
SUCCEEDED = [RunStatus.SUCCEEDED]


@pytest.fixture
def aged(tools: Any) -> Callable[..., Hand]:
    """A run that ended so long ago."""
    with database.session() as session:  # no run of other tests is old
        session.execute(text("update runs set finished_at = now() where finished_at is not null"))

    def make(days: float, *, fails: bool = False) -> Hand:
        run = Hand(("a",), ("b", "say", "a"))
        run.succeed("a")
        if fails:
            run.fail("b")
        else:
            run.succeed("b")
        run.end("b failed" if fails else None)
        with database.session() as session:
            session.execute(
                text("update runs set finished_at = now() - make_interval(secs => :age) where id = :id"),
                {"id": run.id, "age": days * 86_400},
            )
        return run

    return make


def rows_of(run: Hand) -> int:
    tables = {"runs": "id", "steps": "run_id", "events": "run_id", "attempts": "run_id", "plans": "run_id"}
    with database.session() as session:
        return sum(
            session.scalar(text(f"select count(*) from {table} where {column} = :id"), {"id": run.id}) or 0
            for table, column in tables.items()
        )


def test_a_dry_run_counts_what_would_go_and_deletes_nothing(aged: Callable[..., Hand]) -> None:
    run = aged(31)
    found = retention.clear(TENANT, older_than=MONTH, states=SUCCEEDED, dry_run=True)

    assert found == Cleared(runs=1, steps=2, events=run.run().last_seq, attempts=2, kept=0, more=False)
    assert run.run().status == RunStatus.SUCCEEDED


def test_old_runs_go_with_all_that_hangs_on_them(aged: Callable[..., Hand]) -> None:
    old = [aged(31), aged(40)]
    young = aged(29)
    wanted = retention.clear(TENANT, older_than=MONTH, states=SUCCEEDED, dry_run=True)
    done = retention.clear(TENANT, older_than=MONTH, states=SUCCEEDED, dry_run=False)

    assert done == wanted
    assert done.runs == 2
    assert [rows_of(run) for run in old] == [0, 0]
    assert young.run().status == RunStatus.SUCCEEDED
    with pytest.raises(NotFound):
        runs.get(TENANT, old[0].id)


def test_only_runs_of_the_states_asked_for_go(aged: Callable[..., Hand]) -> None:
    failed = aged(31, fails=True)
    with database.session() as session:
        session.execute(text("update dead_letters set resolved_at = now() where run_id = :id"), {"id": failed.id})

    assert retention.clear(TENANT, older_than=MONTH, states=SUCCEEDED, dry_run=False).runs == 0
    assert retention.clear(TENANT, older_than=MONTH, states=[RunStatus.FAILED], dry_run=False).runs == 1


def test_a_run_with_an_open_dead_letter_is_kept(aged: Callable[..., Hand]) -> None:
    run = aged(31, fails=True)
    done = retention.clear(TENANT, older_than=MONTH, states=[RunStatus.FAILED], dry_run=False)
    open_letters = dead_letters.listed(TENANT, dead_letters.Filter(run_id=runs.parse_id(run.id)), limit=5)

    assert (done.runs, done.kept) == (0, 1)
    assert len(open_letters) == 1


def test_a_live_run_never_goes_however_old(aged: Callable[..., Hand]) -> None:
    run = Hand(("a",))
    with database.session() as session:
        session.execute(text("update runs set created_at = now() - interval '1 year' where id = :id"), {"id": run.id})
    retention.clear(TENANT, older_than=timedelta(0), states=list(retention.ENDED), dry_run=False)

    assert run.statuses() == {"a": "ready"}


def test_no_run_of_another_tenant_goes(aged: Callable[..., Hand]) -> None:
    run = aged(31)

    assert retention.clear(f"other-{uuid4()}", older_than=MONTH, states=SUCCEEDED, dry_run=False).runs == 0
    assert rows_of(run) > 0


def test_more_than_asked_for_at_once_is_left_for_the_next_time(aged: Callable[..., Hand]) -> None:
    for _ in range(3):
        aged(31)
    first = retention.clear(TENANT, older_than=MONTH, states=SUCCEEDED, dry_run=False, most=2)
    second = retention.clear(TENANT, older_than=MONTH, states=SUCCEEDED, dry_run=False, most=2)

    assert (first.runs, first.more) == (2, True)
    assert second.runs >= 1
    assert second.more is False


def test_states_that_are_no_end_are_refused(servers: Any) -> None:
    with pytest.raises(BadInput, match="Only ended runs"):
        retention.clear(TENANT, older_than=MONTH, states=[RunStatus.EXECUTING], dry_run=True)
