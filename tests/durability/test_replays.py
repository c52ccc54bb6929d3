"""A stored run is told again what it was told: byte-equal, at no cost, without an effect; else the place is named."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.app import create_app
from services.journal import dead_letters, steps
from services.journal import runs as journal
from services.pipeline import phases
from services.replay import recordings, replays
from tests import runs
from tests.scripted_model import ScriptedModel, plan, text
from tests.stack import ROOT, Stack


@pytest.fixture
def http(servers: Any) -> FlaskClient:
    return create_app().test_client()


def replayed(run_id: str, *, live_from: str | None = None) -> dict[str, Any]:
    """The report on a replay of this run, and its steps by id."""
    recording = recordings.of_run(runs.TENANT, run_id)
    started = replays.create(runs.TENANT, json.loads(json.dumps(recording)), live_from=live_from)
    phases.start(started, planned=recording["plan"] is not None)
    runs.wait_for(started)
    found = {step.id: step for step in steps.of_run(journal.parse_id(started))}
    return replays.report(runs.TENANT, started) | {"steps": found}


def step(name: str, tool: str, after: str = "", **arguments: Any) -> dict[str, Any]:
    return {"id": name, "tool": tool, "arguments": arguments, "dependsOn": after.split()}


def asked(model: ScriptedModel, planned: list[dict[str, Any]], *replies: str) -> str:
    """A run of a request that the model plans so, and answers (last of the replies)."""
    model.says(plan({"steps": planned}), *(text(reply) for reply in replies))
    run_id = runs.start(request="Do it")
    assert runs.wait_for(run_id).status == "succeeded"
    return run_id


def test_a_run_of_a_model_replays_byte_equal_without_a_call_or_an_effect(
    with_model: Stack, model: ScriptedModel, ledger: Path
) -> None:
    planned = [
        step("a", "keyed_effect", seconds=0),
        step("b", "echo", value="${a.step} is done"),
        step("c", "noop", "b"),
    ]
    run_id = asked(model, planned, "All is done.")
    before = len(model.chats)
    report = replayed(run_id)

    assert report["differences"] == []
    assert report["equal"]
    assert report["digest"]["expected"] == report["digest"]["got"]
    assert len(model.chats) == before
    assert not any(report["workflowId"] in line for line in ledger.read_text().splitlines())
    assert journal.get(runs.TENANT, report["workflowId"]).answer == "All is done."


def test_a_changed_prompt_is_named_by_the_first_step_that_has_it(
    with_model: Stack, model: ScriptedModel, tmp_path: Path
) -> None:
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("You are brief.")
    planned = [
        step("a", "echo", value="x"),
        step("b", "asks_a_model", prompt_file=str(prompt), text="${a.value}"),
        step("c", "asks_a_model", prompt_file=str(prompt), text="${b.text}"),
    ]
    run_id = asked(model, planned, "one", "two", "Done.")
    same = replayed(run_id)
    prompt.write_text("You are long-winded.")
    changed = replayed(run_id)

    assert same["equal"]
    assert (changed["equal"], changed["first"]["at"]) == (False, "b")
    assert "b: model call 1 asks something else: its system message differs" in changed["first"]["detail"]
    assert [each["at"] for each in changed["differences"]] == ["b", "c"]
    assert changed["steps"]["c"].output == {"text": "two"}  # it goes on with what is recorded


def test_a_step_done_in_earnest_makes_all_that_follows_so(
    with_model: Stack, model: ScriptedModel, ledger: Path
) -> None:
    planned = [step("a", "keyed_effect", seconds=0), step("b", "keyed_effect", "a", seconds=0), step("c", "noop", "b")]
    run_id = asked(model, planned, "Done.")
    model.says(text("Done anew."))
    report = replayed(run_id, live_from="b")
    noted = runs.ledger(ledger, report["workflowId"], f"key={report['workflowId']}:b")

    assert noted == {"b": 1}
    assert not any(f"{report['workflowId']} a " in line for line in ledger.read_text().splitlines())
    assert journal.get(runs.TENANT, report["workflowId"]).answer == "Done anew."
    assert report["first"]["at"] == "answer"


def test_a_run_of_the_offline_brain_replays_too_and_remembers_nothing(with_model: Stack, model: ScriptedModel) -> None:
    nap = {"id": "nap", "tool": "waits", "arguments": {"seconds": 1}}
    each = {"id": "each", "tool": "calculate", "arguments": {"expression": "${item} * 2"}, "forEach": "${list.value}"}
    bad = step("bad", "calculate", expression="1 / 0") | {"required": False}
    after = step("after", "echo", value="${bad.value}")
    never = step("never", "noop", "list") | {"when": "len(${list.value}) > 5"}
    run_id = runs.start({"steps": [nap, step("list", "echo", value=[1, 2, 3]), each, bad, after, never]})
    runs.wait_for(run_id)
    letters = len(dead_letters.listed(runs.TENANT, dead_letters.Filter(), limit=500))
    report = replayed(run_id)

    assert report["differences"] == []
    assert report["steps"]["nap"].attempt == 1  # nobody waits for what is known
    assert report["steps"]["each[2]"].output["value"] == 6
    assert len(dead_letters.listed(runs.TENANT, dead_letters.Filter(), limit=500)) == letters


def test_the_report_the_recording_and_the_written_test_over_http_and_the_command_line(
    with_model: Stack, http: FlaskClient, tmp_path: Path
) -> None:
    run_id = runs.start({"steps": [step("a", "echo", value=1), step("b", "echo", value="${a.value}")]})
    runs.wait_for(run_id)
    with_model.ensure("web")
    command = [sys.executable, "-m", "gateway.command_line"]
    environment = {**os.environ, "PERDURE_URL": with_model.url, "PYTHONPATH": str(ROOT)}

    def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)

    told = ran("replay", run_id)
    written = ran("test", "from-run", run_id, "--to", str(tmp_path))
    pytest_run = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    passed = subprocess.run(pytest_run, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    kept = next(tmp_path.glob("run_*.json"))
    recording = json.loads(kept.read_text())
    recording["steps"][1]["output"] = {"value": "something else"}
    kept.write_text(json.dumps(recording))
    failed = subprocess.run(pytest_run, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    wrong = http.post("/api/replays", json={"recording": {"version": 9}})

    assert (told.returncode, "The same, byte for byte" in told.stdout) == (0, True), told.stderr
    assert written.stdout.strip().endswith(".py"), written.stderr
    assert passed.returncode == 0, passed.stdout
    assert (failed.returncode, "differs" in failed.stdout) == (1, True), failed.stdout
    assert (wrong.status_code, wrong.get_json()["errors"][0]["pointer"]) == (400, "#/recording/version")


def test_what_was_cut_or_lives_can_not_be_replayed(workers: Stack, http: FlaskClient) -> None:
    run_id = runs.start({"steps": [step("a", "sleep", seconds=300)]})
    living = http.post(f"/api/runs/{run_id}/replay", json={})
    journal.request_cancel(runs.TENANT, run_id)
    cut = http.post(f"/api/runs/{run_id}/replay", json={})

    assert (living.status_code, cut.status_code) == (409, 409)
    assert http.get(f"/api/replays/{run_id}").status_code == 404
