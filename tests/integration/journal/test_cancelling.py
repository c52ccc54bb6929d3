"""Cancelling a run whose steps are at work: however their attempts end, the run ends."""

from typing import Any

import pytest

from services.journal import claims
from services.journal import runs as journal_runs
from tests import runs
from tests.integration.journal.conftest import WORKER


@pytest.mark.parametrize("outcome", ["retry", "waiting", "failed"])
def test_a_run_that_was_cancelled_ends_with_its_last_attempt(hand: Any, outcome: claims.Outcome) -> None:
    run = hand(("a",), ("b", "say", "a"))
    claim = run.claim("a")
    journal_runs.request_cancel(runs.TENANT, run.id)
    claims.finish(claim, outcome, worker=WORKER, error={"detail": "x"}, delay=0, room=claims.Room(0))

    assert run.run().status == "cancelled"
    assert run.open_steps() == 0
    assert run.statuses()["b"] == "cancelled"


def test_a_run_that_was_cancelled_ends_with_its_last_success(hand: Any) -> None:
    run = hand(("a",), ("b", "say", "a"))
    claim = run.claim("a")
    journal_runs.request_cancel(runs.TENANT, run.id)
    runs.succeed(claim)

    assert (run.run().status, run.statuses()) == ("cancelled", {"a": "succeeded", "b": "cancelled"})


def test_a_step_of_a_cancelled_run_asks_nobody(hand: Any) -> None:
    run = hand(("a",))
    claim = run.claim("a")
    journal_runs.request_cancel(runs.TENANT, run.id)
    asks = {"kind": "approval", "hash": "h", "arguments": {}, "reason": None, "question": None}
    claims.finish(claim, "waiting", worker=WORKER, delay=60, room=claims.Room(0), asks=asks)

    assert run.run().status == "cancelled"
    assert "approval.requested" not in run.names()
