"""The client and the command line against a real gateway: resuming, refusals, exit codes."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from gateway.client import Client, Incomplete, Refused
from services import database
from services.errors import Unavailable
from tests.integration.gateway.conftest import ROOT, Gateway, HandWrittenRun


def perdure(gateway: Gateway | None, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.command_line", *words],
        cwd=ROOT,
        env={**os.environ, "PORT": str(gateway.port if gateway else 9), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_following_survives_a_gateway_that_is_replaced(servers: Any, run: HandWrittenRun) -> None:
    first = Gateway()
    seen: list[int] = []

    def follow() -> None:
        seen.extend(event["seq"] for event in Client(first.url).events(run.id))

    follower = threading.Thread(target=follow)
    follower.start()
    run.say("a", "b")
    first.stop()
    run.say("c")
    second = Gateway(first.port)
    run.say("d")
    run.end()
    follower.join(30)
    second.stop()

    assert seen == [1, 2, 3, 4, 5, 6]


def test_refusals_are_errors_with_their_fields(gateway: Gateway) -> None:
    with Client(gateway.url) as client, pytest.raises(Refused) as refused:
        client.start("x", userId=7)

    assert refused.value.status == 400 and refused.value.errors[0].pointer == "#/userId"


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="perdure up"):
        Client("http://127.0.0.1:9").get("x")


def test_starting_listing_cancelling(gateway: Gateway) -> None:
    with Client(gateway.url) as client:
        started = client.start("hello", conversationId="c")
        listed = client.listed(limit=1)["items"][0]
        cancelled = client.cancel(started["workflowId"])

    assert (listed["id"], cancelled["status"]) == (started["workflowId"], "cancelled")


def test_memories_that_were_added_are_found_by_their_words(gateway: Gateway) -> None:
    with Client(gateway.url) as client:
        client.remember("The heron sleeps on one leg.", userId="birdwatcher")
        client.remember("Invoices are due on Friday.", userId="birdwatcher")
        found = client.search_memory("how does the heron sleep", userId="birdwatcher", k=1)
        others = client.search_memory("heron", userId="somebody else")

    assert [item["text"] for item in found] == ["The heron sleeps on one leg."] and others == []


def test_many_memories_come_in_one_request_and_keep_their_order(http: Any) -> None:
    items = [{"text": f"fact {number}", "userId": "bulk", "at": "2026-01-01T00:00:00Z"} for number in range(50)]
    answer = http.post("/api/memory", json={"items": items})
    one = http.post("/api/memory", json={"text": "alone", "userId": "bulk"})

    assert answer.status_code == 201 and len(set(answer.json["ids"])) == 50
    assert one.status_code == 201 and one.json["id"]


def test_watching_prints_every_event_and_exits_as_the_run_ended(gateway: Gateway, run: HandWrittenRun) -> None:
    run.say("partial")
    run.end()
    plain = perdure(gateway, "watch", run.id)
    lines = perdure(gateway, "watch", run.id, "--json", "--after", "1").stdout.splitlines()
    after_the_end = perdure(gateway, "watch", run.id, "--after", "3")

    assert plain.returncode == 1 and "run.failed" in plain.stdout and "the run failed: enough" in plain.stderr
    assert [json.loads(line)["seq"] for line in lines] == [2, 3]
    assert after_the_end.returncode == 1


def test_a_run_in_json_is_one_document(gateway: Gateway) -> None:
    started = threading.Event()

    def cancel_the_newest() -> None:
        with Client(gateway.url) as client:
            while not started.wait(0.1):
                for item in client.listed(limit=3)["items"]:
                    if item["request"] == "one document" and item["status"] == "queued":
                        client.cancel(item["id"])

    canceller = threading.Thread(target=cancel_the_newest)
    canceller.start()
    done = perdure(gateway, "run", "one document", "--json")
    started.set()
    canceller.join()

    assert done.returncode == 1 and json.loads(done.stdout)["status"] == "cancelled"


def test_keys_made_on_the_command_line_work(gateway: Gateway) -> None:
    secret = perdure(gateway, "keys", "create", "--name", "cli", "--tenant", "cli").stdout.strip()
    listed = perdure(gateway, "keys", "list", "--tenant", "cli").stdout
    runs = perdure(gateway, "runs", "--json", PERDURE_API_KEY=secret)
    revoked = perdure(gateway, "keys", "revoke", listed.split("…")[0])
    after = perdure(gateway, "runs", PERDURE_API_KEY=secret)

    assert runs.returncode == 0 and json.loads(runs.stdout) == []
    assert "live" in listed and secret not in listed and revoked.returncode == 0
    assert after.returncode == 2 and "not known, was revoked" in after.stderr


@pytest.mark.parametrize(
    ("words", "environment", "complaint"),
    [
        (["runs"], {}, "No Perdure answers at http://127.0.0.1:9"),
        (["run"], {}, "Say what you want"),
        (["run", "--plan", "/nowhere.json"], {}, "does not exist"),
        (["show"], {}, "Missing argument"),
        (["nonsense"], {}, "No such command"),
        (["runs"], {"PORT": "many"}, "PORT"),
        (["migrate"], {"DATABASE_URL": "postgresql://127.0.0.1:9/x"}, "Postgres does not answer"),
        (["keys", "list"], {"DATABASE_URL": "postgresql://127.0.0.1:9/x"}, "Postgres does not answer"),
        (["keys", "list"], {"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
    ],
)
def test_what_can_not_work_is_one_line_and_exit_code_2(
    servers: Any, words: list[str], environment: dict[str, str], complaint: str
) -> None:
    done = perdure(None, *words, **environment)

    assert done.returncode == 2 and complaint in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_plan_file_that_the_rules_refuse_names_the_step(gateway: Gateway, tools: None, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"steps": [{"id": "a", "tool": "ecco"}, {"id": "b", "tool": "echo"}]}))
    done = perdure(gateway, "run", "--plan", str(plan))

    assert done.returncode == 2 and "#/plan/steps/0/tool" in done.stderr and "#/plan/steps/1/arguments" in done.stderr


def test_messages_webhooks_and_triggers_by_the_command_line(gateway: Gateway) -> None:
    published = perdure(gateway, "publish", "https://example.com/x", '{"n": 1}', "--delay", "3600", "--queue", "cli")
    message = published.stdout.strip()
    listed = perdure(gateway, "messages", "list", "--queue", "cli")
    settled = perdure(gateway, "messages", "settle", "cancel", message)
    hook = perdure(gateway, "webhooks", "add", "https://example.com/h", "--event", "run.*").stdout.split()
    trigger = perdure(gateway, "triggers", "add", "cli", "Look at {{body.id}}", "--mode", "url").stdout.strip()

    assert message in listed.stdout and "waiting" in listed.stdout, published.stderr
    assert settled.stdout.strip() == f"{message} is cancelled"
    assert len(hook) == 2 and hook[1].startswith("whsec_")
    assert "/hooks/" in trigger and trigger in perdure(gateway, "triggers", "list").stdout


def test_a_call_that_is_put_off_is_made_again_when_the_stack_says(servers: Any) -> None:
    answers = [
        (503, {"Retry-After": "0"}, b'{"detail": "not yet"}'),
        (429, {"Retry-After": "0"}, b'{"detail": "slower"}'),
        (202, {}, b'{"workflowId": "w"}'),
    ]
    seen: list[str | None] = []

    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.headers["Idempotency-Key"])
            status, headers, body = answers[len(seen) - 1]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Client(f"http://127.0.0.1:{server.server_port}") as client:
        started = client.start("x", key="mine")
        answers[:] = [*answers, (503, {}, b"{}")]
        with pytest.raises(Refused) as refused:
            client.steer("w", "y")
    server.shutdown()

    assert started["workflowId"] == "w" and seen[:3] == ["mine"] * 3
    assert refused.value.status == 503 and len(seen) == 4, "what may not happen twice is not sent twice"


def test_a_sequence_that_is_not_the_sealed_one_is_told(gateway: Gateway, run: HandWrittenRun) -> None:
    run.say("a", "b")
    with Client(gateway.url) as client:
        events = client.events(run.id)
        first = next(events)
        with database.session() as session:
            session.execute(text("update events set data = '{}' where run_id = :run and seq = 1"), {"run": run.id})
        run.end()
        with pytest.raises(Incomplete):
            list(events)

    assert first["seq"] == 1


def test_all_runs_are_read_page_after_page(gateway: Gateway) -> None:
    name = f"paged-{uuid4()}"
    with Client(gateway.url) as client:
        started = [client.start(str(number), labels={"test": name})["workflowId"] for number in range(5)]
        found = [run["id"] for run in client.all_runs(label=[f"test:{name}"], limit=2, sort="createdAt")]

    assert found == started


def test_runs_are_found_and_changed_by_the_command_line(gateway: Gateway) -> None:
    label = f"test:{uuid4()}"
    with Client(gateway.url) as client:
        run_id = client.start("look for me", labels={"test": label[5:]})["workflowId"]
    found = perdure(gateway, "runs", "--label", label, "--status", "live", "--text", "look for")
    dry = perdure(gateway, "change-runs", "cancel", "--label", label, "--dry-run")
    done = perdure(gateway, "change-runs", "cancel", "--label", label)

    assert run_id in found.stdout
    assert f"{run_id}  queued" in dry.stdout and "a dry run" in dry.stderr
    assert run_id in done.stdout and "cancel: 1 runs" in done.stderr
    assert run_id in perdure(gateway, "runs", "--label", label, "--status", "cancelled").stdout
