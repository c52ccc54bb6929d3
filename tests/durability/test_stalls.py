"""Stalls put in on purpose: `why` names each, and the doctor mends it or says who must."""

from collections.abc import Callable
from pathlib import Path

from services import database
from services.flow import keys
from services.journal import runs as journal_runs
from services.journal import steps, surgery, why
from services.journal.runs import RunStatus, parse_id
from services.journal.why import Kind
from services.pipeline import doctor, flow_turns, operating
from services.tools import catalogue
from tests import runs
from tests.durability import stalls
from tests.stack import Stack


def kind(run_id: str) -> Kind:
    return why.explain(runs.TENANT, run_id).kind


def becomes(run_id: str, expected: Kind) -> None:
    runs.wait_until(lambda: kind(run_id) == expected)


def status_of(run_id: str, step_id: str) -> Callable[[], str]:
    return lambda: {step.id: step.status for step in steps.of_run(parse_id(run_id))}.get(step_id, "none")


def mended(invariant: str, subject: str) -> bool:
    found = doctor.examine(fix=True)
    return any(each.repaired and each.invariant == invariant and each.subject == subject for each in found)


def test_a_lost_message_is_named_and_rung_by_the_doctor_when_no_scheduler_lives(workers: Stack) -> None:
    workers.kill("scheduler")
    run_id = runs.start(runs.chain(2, tool="noop"), ring=False)
    assert kind(run_id) == Kind.READY
    with database.session() as session:
        session.connection().exec_driver_sql(
            f"update steps set rung_at = now() - interval '2 min' where run_id = '{run_id}' and status = 'ready'"
        )

    assert mended("what is ready is taken", f"{run_id}/s0")
    workers.start("scheduler")
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED


def test_the_lease_of_a_dead_worker_is_named_and_given_back_by_the_doctor(workers: Stack, ledger: Path) -> None:
    run_id = runs.start(runs.chain(1, seconds=30))
    runs.wait_until(lambda: runs.ledger(ledger, run_id, "begin")["s0"] == 1)
    assert kind(run_id) == Kind.LEASE
    for each in ("scheduler", "planning", "reflection", "execution"):  # nobody of this host is left to notice
        workers.kill(each)
    assert kind(run_id) == Kind.LEASE  # its heart may beat again, for all that can be known so far
    holder = why.explain(runs.TENANT, run_id).worker
    runs.wait_until(lambda: any(each.subject == holder for each in doctor.examine()), timeout=15)
    assert mended("no lease of the dead", str(holder))

    assert status_of(run_id, "s0")() == "ready"
    assert kind(run_id) == Kind.NO_WORKER
    journal_runs.request_cancel(runs.TENANT, run_id)


def test_each_kind_of_process_that_is_missing_is_named(workers: Stack) -> None:
    workers.kill("execution")
    run_id = runs.start(runs.chain(1, tool="noop"), request="Do nothing, and say so")
    becomes(run_id, Kind.NO_WORKER)
    assert "execution worker" in why.explain(runs.TENANT, run_id).sentence
    workers.kill("reflection")
    workers.start("execution")
    runs.wait_until(lambda: status_of(run_id, "s0")() == "succeeded")
    becomes(run_id, Kind.NO_WORKER)

    assert "reflection worker" in why.explain(runs.TENANT, run_id).sentence
    missing = {each.subject for each in doctor.examine() if each.invariant == "every kind of process lives"}
    assert missing == {"reflection"}
    workers.start("reflection")
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED


def test_a_sleep_a_backoff_a_pause_and_a_doubt_are_told_apart(workers: Stack) -> None:
    sleeping = runs.start({"steps": [{"id": "s", "tool": "sleep", "arguments": {"seconds": 600}}]})
    retried = {"id": "r", "tool": "fails_at_first", "arguments": {"times": 1}, "retry": {"base": 3600, "cap": 3600}}
    backing_off = runs.start({"steps": [retried]})
    doubtful = runs.start({"steps": [{"id": "u", "tool": "breaks_after_its_effect"}]})
    paused = runs.start(runs.chain(3, seconds=0.5))
    operating.pause(runs.TENANT, paused)

    becomes(sleeping, Kind.TIMER)
    becomes(backing_off, Kind.RETRY_BACKOFF)
    becomes(doubtful, Kind.IN_DOUBT)
    becomes(paused, Kind.PAUSED)
    assert "perdure resolve" in why.explain(runs.TENANT, doubtful).sentence
    told = {each.invariant for each in doctor.examine() if each.severity == "info"}
    assert told >= {
        "runs sleep until their time",
        "what failed is tried again",
        "doubts are resolved",
        "paused runs are remembered",
    }
    for run_id, step_id in ((sleeping, "s"), (backing_off, "r")):
        operating.change_step(run_id, lambda at=(run_id, step_id): surgery.retry_step(runs.TENANT, *at))
    operating.change_step(doubtful, lambda: surgery.resolve_by_skipping(runs.TENANT, doubtful, "u"))
    operating.resume(runs.TENANT, paused)
    for run_id in (sleeping, backing_off, doubtful, paused):
        assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED


def test_a_paused_key_and_a_rate_that_is_used_up_are_told_apart(workers: Stack, ledger: Path) -> None:
    keys.set_limit(runs.TENANT, "slow-side", parallelism=None, rate=1, period=3600)
    limited = {"tool": "noop", "flow": "slow-side"}
    first = runs.start({"steps": [{"id": "s0", **limited}]})
    assert runs.wait_for(first).status == RunStatus.SUCCEEDED
    run_id = runs.start({"steps": [{"id": "s0", **limited}]})

    sentence = stalls.becomes(run_id, Kind.TURN, "its turn at key slow-side", "at most 1 start in 3600 s").sentence
    assert "0 before it" in sentence
    assert stalls.found("turns are waited for").severity == "info"
    keys.pause(runs.TENANT, "slow-side")
    stalls.becomes(run_id, Kind.FLOW_PAUSED, "key slow-side, which is paused; resume it")
    assert stalls.found("paused flow keys are remembered").severity == "info"
    keys.remove(runs.TENANT, "slow-side")
    flow_turns.pass_on([f"{runs.TENANT}/slow-side"])
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED


def test_a_tool_that_is_gone_is_named(workers: Stack) -> None:
    workers.kill("execution")
    run_id = runs.start(runs.chain(1, tool="noop"))
    listed = catalogue.listed()
    with database.session() as session:
        session.connection().exec_driver_sql("delete from tools where name = 'noop'")
    becomes(run_id, Kind.MISSING_TOOL)
    explained = [each.explanation for each in doctor.examine() if each.subject == f"{run_id}/s0"]

    assert any("'noop'" in sentence for sentence in explained)
    assert "noop" in listed
    workers.start("execution")  # it lists its tools again
    assert runs.wait_for(run_id).status == RunStatus.SUCCEEDED


def test_a_healthy_stack_under_load_has_nothing_to_mend(workers: Stack) -> None:
    started = [runs.start(runs.fan(6, seconds=0.2)) for _ in range(20)]
    seen = []
    while not all(journal_runs.get(runs.TENANT, run_id).finished_at for run_id in started):
        mine = doctor.examine()
        seen += [each for each in mine if each.severity == "error" and each.subject.split("/")[0] in started]

    assert seen == []
    assert {runs.wait_for(run_id).status for run_id in started} == {RunStatus.SUCCEEDED}
