"""Results of steps that were run ahead of the commit that makes them ready: taken together, or not at all."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from services import database
from services.journal import attempts, claims, surgery
from services.journal.claims import Begun, Claim, Done, Finished, Room
from tests import runs as test_runs
from tests.integration.journal.conftest import WORKER, Hand
from tests.runs import TENANT

INSTANT = Room(1, ["say"])
CHAIN = (("a", "say"), ("b", "say", "a"), ("c", "say", "b"))


def begun(run: Hand) -> Claim:
    given = claims.begin(run.id, WORKER, INSTANT)
    assert isinstance(given, Begun)
    return given.claims[0]


def followers(claim: Claim) -> list[Claim]:
    assert claim.ahead
    return [follower.claim for follower in claim.ahead.followers]


def all_done(first: Claim) -> list[Done]:
    """The claimed step and all that may be run ahead, each with its own id as the output."""
    ahead = [test_runs.done(claim, claim.step_id, claimed=False) for claim in followers(first)]
    return [test_runs.done(first, first.step_id), *ahead]


def completed(done: list[Done], room: Room = INSTANT) -> Finished | None:
    return claims.complete(done, worker=WORKER, room=room)


def test_a_chain_is_recorded_in_one_commit_each_step_with_its_attempt_and_events(hand: Callable[..., Any]) -> None:
    run = hand(*CHAIN)
    done = all_done(begun(run))
    finished = completed(done)

    assert finished and not finished.claims and not finished.ready
    assert run.statuses() == dict.fromkeys("abc", "succeeded")
    assert run.open_steps() == 0
    assert run.names()[-6:] == ["step.started", "step.succeeded"] * 3
    assert [event["seq"] for event in finished.events] == list(range(run.run().last_seq - 4, run.run().last_seq + 1))
    rows = [run.step(id) for id in "abc"]
    assert [(step.attempt, step.output, step.worker) for step in rows] == [(1, id, WORKER) for id in "abc"]
    assert [step.started_at <= step.finished_at for step in rows] == [True] * 3
    assert [row.outcome for id in "abc" for row in attempts.of_step(run.run().id, id)] == ["succeeded"] * 3


def test_what_follows_the_last_is_claimed_and_told_what_may_be_run_ahead_of_it(hand: Callable[..., Any]) -> None:
    run = hand(*CHAIN, ("d", "say", "c"))
    first = begun(run)
    finished = completed(all_done(first)[:2])

    assert finished
    assert [(claim.step_id, [one.step_id for one in followers(claim)]) for claim in finished.claims] == [("c", ["d"])]
    assert run.statuses() == {"a": "succeeded", "b": "succeeded", "c": "running", "d": "pending"}


def test_steps_side_by_side_and_the_one_that_joins_them(hand: Callable[..., Any]) -> None:
    run = hand(("a", "say"), ("b", "say"), ("c", "say"), ("z", "pay", "a b c"))
    first = begun(run)
    finished = completed(all_done(first))

    assert [claim.step_id for claim in followers(first)] == ["b", "c"]
    assert finished
    assert [claim.step_id for claim in finished.claims] == ["z"]


def test_a_step_that_waits_for_another_too_stays_pending(hand: Callable[..., Any]) -> None:
    run = hand(("a", "say"), ("p", "pay"), ("z", "say", "a p"))
    first = begun(run)
    finished = completed([test_runs.done(first)])

    assert [claim.step_id for claim in followers(first)] == ["z"]
    assert finished
    assert run.statuses()["z"] == "pending"
    assert run.step("z").unmet == 1


def test_nothing_is_recorded_where_somebody_has_begun_a_step_meanwhile(hand: Callable[..., Any]) -> None:
    run = hand(("a", "say"), ("b", "say"))
    done = all_done(begun(run))
    assert claims.take(run.id, "b", "another")

    assert completed(done) is None
    assert run.statuses() == {"a": "running", "b": "running"}
    assert completed(done[:1])
    assert run.statuses() == {"a": "succeeded", "b": "running"}


def test_nothing_is_recorded_of_arguments_that_a_person_has_changed_meanwhile(hand: Callable[..., Any]) -> None:
    run = hand(*CHAIN)
    done = all_done(begun(run))
    surgery.rerun_step(TENANT, run.id, "c", {"text": "other"})

    assert completed(done) is None
    assert run.statuses()["b"] == "pending"


def test_nothing_is_recorded_beyond_a_pause_a_skip_or_a_cancellation(hand: Callable[..., Any]) -> None:
    for change in (
        lambda run: surgery.pause(TENANT, run.id),
        lambda run: surgery.skip_step(TENANT, run.id, "b"),
        lambda run: test_runs.runs.request_cancel(TENANT, run.id),
    ):
        run = hand(*CHAIN)
        done = all_done(begun(run))
        change(run)

        assert completed(done) is None
        assert "succeeded" not in run.statuses().values()
        alone = completed(done[:1])
        assert alone and not alone.claims
        assert run.statuses()["a"] == "succeeded"


def test_a_big_result_among_them_is_kept_once_by_hash(hand: Callable[..., Any]) -> None:
    run = hand(*CHAIN)
    first = begun(run)
    ahead = followers(first)
    big = ["x" * 1000] * 50
    completed(
        [
            test_runs.done(first, big),
            test_runs.done(ahead[0], big, claimed=False),
            test_runs.done(ahead[1], 1, claimed=False),
        ]
    )

    kept = text("select id from steps where run_id = :run and output ? '$blob' order by id")
    with database.session() as session:
        assert session.scalars(kept, {"run": run.id}).all() == ["a", "b"]
    assert run.step("a").output == run.step("b").output == big
    assert run.step("c").output == 1


def test_the_last_of_a_line_after_a_failure_is_skipped_as_ever(hand: Callable[..., Any]) -> None:
    run = hand(*CHAIN)
    finished = completed(all_done(begun(run))[:1])
    assert finished
    claims.finish(
        finished.claims[0], "failed", worker=WORKER, error={"detail": "it broke", "reason": "failed"}, room=Room(0)
    )

    assert run.statuses() == {"a": "succeeded", "b": "failed", "c": "skipped"}
