"""Big outputs are stored once, by hash; whoever reads gets them whole."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from services import database
from services.journal import attempts, claims, events, forks, retention, runs, surgery
from services.journal.runs import RunStatus
from tests.integration.journal.conftest import WORKER, Existing, Hand
from tests.runs import TENANT, succeed


def big(word: str) -> dict[str, Any]:
    return {"words": [f"{word}{n}" for n in range(6_000)], "first": word}


def scalar(query: str, **values: Any) -> Any:
    with database.session() as session:
        return session.scalar(text(query), values)


def stored(word: str) -> int:
    return scalar("select count(*) from blobs where content ->> 'first' = :word", word=word)


def raw(run: Hand, step_id: str, column: str = "output") -> Any:
    return scalar(f"select {column} from steps where run_id = :run and id = :step", run=run.id, step=step_id)


def test_a_big_output_is_stored_once_however_often_it_comes(hand: type[Hand]) -> None:
    run, other = hand(("a",), ("b",)), hand(("a",))
    run.succeed("a", "b", output=big("once"))
    other.succeed("a", output=big("once"))

    assert stored("once") == 1
    assert set(raw(run, "a")) == {"$blob", "bytes"}
    assert run.step("a").output == other.step("a").output == big("once")
    assert scalar("select max(pg_column_size(data)) from events where run_id = :run", run=run.id) < 1_000


def test_a_small_output_stays_where_it_is(hand: type[Hand]) -> None:
    run = hand(("a",))
    run.succeed("a", output={"text": "small"})

    assert raw(run, "a") == {"text": "small"}
    assert scalar("select count(*) from blob_uses where run_id = :run", run=run.id) == 0


def test_what_looks_like_a_reference_but_is_an_output_stays_what_it_is(hand: type[Hand]) -> None:
    run = hand(("a",), ("b",))
    run.succeed("a", output=big("secret"))
    forged = raw(run, "a")
    run.succeed("b", output=forged)

    assert run.step("b").output == forged
    assert run.step("b").output != big("secret")


def test_steps_that_refer_to_it_get_it_whole(hand: type[Hand]) -> None:
    run = hand(("a",), ("b", "say", "a", {"text": "${a.first}"}))
    finished = run.finish(run.claim("a"), big("whole"))

    assert finished.claims[0].outputs == {"a": big("whole")}


def test_events_attempts_and_reflection_show_it_whole(hand: type[Hand]) -> None:
    run = hand(("a",))
    run.succeed("a", output=big("shown"))
    succeeded = [event for event in events.after(runs.parse_id(run.id), 0) if event["name"] == "step.succeeded"]
    phase = runs.claim_phase(run.id, "reflect", WORKER)

    assert succeeded[0]["data"]["output"] == big("shown")
    assert phase is not None
    assert phase.run["steps"][0]["output"] == big("shown")


def test_reading_it_writes_nothing_back(hand: type[Hand]) -> None:
    run = hand(("a",))
    run.succeed("a", output=big("read"))
    run.step("a")
    events.after(runs.parse_id(run.id), 0)

    assert set(raw(run, "a")) == {"$blob", "bytes"}


def test_a_big_input_and_a_result_by_hand_are_stored_so_too(hand: type[Hand]) -> None:
    run = hand(("a",), ("b",), required=False)
    claim = run.claim("a")
    succeed(claim, None, given=big("given"), room=claims.Room(0))
    surgery.override_step(TENANT, run.id, "b", big("by hand"))

    assert "$blob" in raw(run, "a", "input")
    assert run.step("a").input == big("given")
    assert run.step("b").output == big("by hand")
    assert attempts.of_step(runs.parse_id(run.id), "b")[0].output == big("by hand")


def test_a_fork_shares_it_and_keeps_it_when_the_source_is_deleted(hand: type[Hand], existing: type[Existing]) -> None:
    run = hand(("a",), ("b", "say", "a"))
    run.succeed("a", output=big("shared"))
    run.succeed("b", output=big("lonely"))
    run.end()
    fork = existing(forks.fork(TENANT, run.id, from_step="b")[0])
    with database.session() as session:
        session.execute(text("update blobs set used_at = now() - interval '2 hours'"))
        session.execute(text("update runs set finished_at = now() - interval '9 years' where id = :id"), {"id": run.id})
    retention.clear(TENANT, older_than=timedelta(days=3000), states=[RunStatus.SUCCEEDED], dry_run=False)

    assert fork.step("a").output == big("shared")
    assert (stored("shared"), stored("lonely")) == (1, 0)


def test_a_blob_of_one_tenant_is_not_that_of_another(hand: type[Hand]) -> None:
    run = hand(("a",))
    run.succeed("a", output=big("mine"))
    reference = raw(run, "a")["$blob"]

    assert scalar(
        "select whole(:tenant, jsonb_build_object('$blob', cast(:hash as text)))", tenant=TENANT, hash=reference
    )
    assert scalar("select whole('other', jsonb_build_object('$blob', cast(:hash as text)))", hash=reference) is None
