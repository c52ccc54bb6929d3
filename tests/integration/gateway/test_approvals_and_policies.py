"""The inbox and the policy over HTTP: what is shown, decided and refused."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from gateway import command_line
from services.approvals import approvals
from services.journal import claims, steps, workers
from services.journal.claims import Claim
from services.journal.runs import parse_id
from services.tools import catalogue
from services.tools.contract import tool
from tests import runs

WORKER = "execution@test:2:1.00"


@tool(effect="unsafe", permission="ask")
def pay(amount: int) -> str:
    """Pay."""
    return "paid"


@pytest.fixture(autouse=True)
def tools(servers: Any) -> Iterator[None]:
    catalogue.register([("test", pay)])
    workers.beat(WORKER, "execution", "test", 2, 1.0)
    yield
    catalogue.register([])
    workers.release(WORKER, "handed_back")


def ask(kind: str = "approval", question: Any = None, delay: float = 60) -> tuple[str, str]:
    """A run whose only step waits for a person; returns the ids of run and approval."""
    run_id = runs.start({"steps": [{"id": "s1", "tool": "pay", "arguments": {"amount": 5}}]}, ring=False)
    claimed = claims.take(run_id, "s1", WORKER)
    assert claimed
    claim: Claim = claimed[0]
    asks = {"kind": kind, "hash": "h", "arguments": {"amount": 5}, "reason": "it is dear", "question": question}
    claims.finish(claim, "waiting", worker=WORKER, delay=delay, room=claims.Room(0), asks=asks)
    found = approvals.listed(runs.TENANT, run_id=steps.of_run(row_id(run_id))[0].run_id)
    return run_id, str(found[0][0].id) if found else ""


def row_id(run_id: str) -> UUID:
    return parse_id(run_id)


def test_the_inbox_shows_the_exact_call_and_why_it_is_asked_for(http: FlaskClient) -> None:
    run_id, approval_id = ask()

    item = next(each for each in http.get("/api/approvals").json["items"] if each["id"] == approval_id)
    assert (item["workflowId"], item["stepId"], item["tool"], item["status"]) == (run_id, "s1", "pay", "open")
    assert (item["arguments"], item["reason"]) == ({"amount": 5}, "it is dear")
    assert http.get(f"/api/approvals?workflowId={run_id}").json["items"] == [item]
    why = http.get(f"/api/runs/{run_id}/why").json
    assert (why["kind"], why["stepId"]) == ("approval", "s1")


def test_an_approval_makes_the_step_ready_and_is_recorded_with_who_gave_it(http: FlaskClient) -> None:
    run_id, approval_id = ask()

    decided = http.post(f"/api/approvals/{approval_id}/approve").json
    assert (decided["status"], decided["decidedBy"]) == ("approved", "local")
    assert steps.of_run(row_id(run_id))[0].status == "ready"
    assert http.post(f"/api/approvals/{approval_id}/approve").status_code == 409
    assert http.get(f"/api/approvals?workflowId={run_id}").json["items"] == []


def test_edited_arguments_must_fit_the_tool(http: FlaskClient) -> None:
    _, approval_id = ask()

    refused = http.post(f"/api/approvals/{approval_id}/approve", json={"arguments": {"amount": "much"}})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (400, "#/arguments/amount")
    assert http.post(f"/api/approvals/{approval_id}/approve", json={"arguments": {"amount": 3}}).status_code == 200


def test_a_question_takes_one_of_its_choices(http: FlaskClient) -> None:
    _, approval_id = ask("question", {"text": "Which?", "choices": ["a", "b"]})

    assert http.post(f"/api/approvals/{approval_id}/answer", json={"answer": "c"}).status_code == 400
    assert http.post(f"/api/approvals/{approval_id}/approve").status_code == 400
    answered = http.post(f"/api/approvals/{approval_id}/answer", json={"answer": "b"}).json
    assert (answered["status"], answered["decision"]) == ("answered", {"answer": "b"})


def test_an_expired_approval_is_gone(http: FlaskClient) -> None:
    _, approval_id = ask(delay=0)

    assert http.post(f"/api/approvals/{approval_id}/approve").status_code == 410


def test_a_run_that_ended_voids_its_approvals(http: FlaskClient) -> None:
    run_id, approval_id = ask()
    http.post(f"/api/runs/{run_id}/cancel")

    assert http.get(f"/api/approvals/{approval_id}").json["status"] == "void"
    assert http.post(f"/api/approvals/{approval_id}/approve").status_code == 409


def test_an_approval_of_nobody_is_not_found(http: FlaskClient) -> None:
    assert http.get("/api/approvals/nonsense").status_code == 404
    assert http.post("/api/approvals/00000000-0000-0000-0000-000000000000/reject").status_code == 404


def test_rules_are_listed_in_their_order(http: FlaskClient) -> None:
    rule = {"decision": "ask", "tool": "pay", "arguments": {"amount": {"minimum": 100}}, "expires": 60}
    later = http.post("/api/policies", json=rule).json
    sooner = http.post("/api/policies", json={"decision": "deny", "tool": "mail_*", "position": 1}).json

    ids = [each["id"] for each in http.get("/api/policies").json["items"]]
    assert ids.index(sooner["id"]) < ids.index(later["id"])
    for each in (sooner, later):
        assert http.delete(f"/api/policies/{each['id']}").status_code == 200
    assert http.delete(f"/api/policies/{later['id']}").status_code == 404


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"decision": "maybe"},
        {"decision": "ask", "arguments": {"a": {"type": "nonsense"}}},
        {"decision": "ask", "x": 1},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(http: FlaskClient, rule: Any) -> None:
    assert http.post("/api/policies", json=rule).status_code == 400


def perdure(gateway: Any, *words: str) -> str:
    done = CliRunner().invoke(command_line.perdure, [*words, "--url", gateway.url], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_line_lists_and_decides(gateway: Any) -> None:
    run_id, approval_id = ask()
    _, question_id = ask("question", {"text": "Which one?", "choices": None})

    listed = perdure(gateway, "approvals", "list")
    assert f'{approval_id}  open  run {run_id} step s1  pay {{"amount":5}}: it is dear' in listed
    assert "asks: Which one?" in listed
    assert perdure(gateway, "approvals", "approve", approval_id, "--arguments", '{"amount": 4}').endswith("approved\n")
    assert perdure(gateway, "approvals", "answer", question_id, "this").endswith("answered\n")
    assert approvals.get(runs.TENANT, approval_id)[0].decision == {"arguments": {"amount": 4}}


def test_the_command_line_keeps_policies_secrets_and_servers(gateway: Any) -> None:
    policy_id = perdure(gateway, "policies", "add", "ask", "pay_*", "--arguments", '{"amount": {"minimum": 9}}').strip()
    assert "ask   pay_*" in perdure(gateway, "policies", "list")
    perdure(gateway, "policies", "remove", policy_id)
    kept = CliRunner().invoke(
        command_line.perdure, ["secrets", "set", "tok", "--host", "a.example", "--url", gateway.url], input="abcdefgh\n"
    )
    assert "{{secret:tok}}" in kept.output
    assert "tok  {{secret:tok}}  a.example" in perdure(gateway, "secrets", "list")
    perdure(gateway, "secrets", "remove", "tok")
    perdure(gateway, "mcp", "add", "files", "npx", "server", "/data", "--timeout", "5")
    assert "files  npx server /data" in perdure(gateway, "mcp", "list")
    perdure(gateway, "mcp", "remove", "files")
