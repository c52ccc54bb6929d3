"""A run as one trace: below its caller's span, through all processes, and out to what its tools call."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from services.tracing import identity, spans
from tests import runs, scripted_model
from tests import stack as stacks
from tests.environment import environment
from tests.loopback_site import LoopbackSite, page
from tests.quiet_server import QuietServer
from tests.scripted_model import ScriptedModel

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECRET_WORDS = "the words of the request"


class Collector:
    """What an OpenTelemetry collector is told, over OTLP."""

    def __init__(self) -> None:
        self.spans: dict[str, Any] = {}
        self.raw = b""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.raw += body
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    for scope in resource.scope_spans:
                        collector.spans |= {span.name: span for span in scope.spans if span.trace_id.hex() == TRACE}
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def attributes(self, name: str) -> dict[str, Any]:
        found = self.spans[name].attributes
        return {each.key: each.value.string_value or each.value.int_value for each in found}

    def above(self, name: str) -> str:
        """The name of the span that this one is in."""
        parent = self.spans[name].parent_span_id
        if parent.hex() == CALLER:
            return "the caller"
        return next((other.name for other in self.spans.values() if other.span_id == parent), parent.hex())


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.mark.slow
def test_one_trace_from_the_caller_to_the_tool(servers: Any, collector: Collector, tmp_path: Path) -> None:
    heard: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        heard.append(request.headers["traceparent"])
        page("fine", content_type="text/plain")(request)

    with ExitStack() as at_the_end:
        site = at_the_end.enter_context(LoopbackSite({"/": answer}))
        plan = {"steps": [{"id": "s1", "tool": "http_request", "arguments": {"url": site.url("/")}}]}
        fine = scripted_model.text("It is fine.")
        model = at_the_end.enter_context(ScriptedModel([scripted_model.plan(plan), fine], otherwise=fine))
        given = {
            "PERDURE_TRACES": "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_API_KEY": "sk-scripted",
            "PERDURE_ALLOW_HOSTS": "127.0.0.1,127.0.0.0/8",
            "PERDURE_AUTH": "off",
        }
        with stacks.running(tmp_path, *stacks.WORKERS, "web", **given) as stack:
            started = httpx2.post(
                f"{stack.url}/api/agent/start",
                json={"request": SECRET_WORDS},
                headers={"traceparent": f"00-{TRACE}-{CALLER}-01"},
            )
            run = runs.wait_for(started.json()["workflowId"])
            runs.wait_until(lambda: "run" in collector.spans and "remember run" in collector.spans)

    names = set(collector.spans)
    assert run.status == "succeeded", run.error
    assert {"run", "plan run", "execute run", "step s1", "execute_tool http_request", "reflect run"} <= names
    assert collector.above("run") == "the caller"
    assert [collector.above(name) for name in ("plan run", "execute run", "reflect run")] == ["run"] * 3
    assert collector.above("step s1") == "execute run"
    assert collector.above("execute_tool http_request") == "step s1"
    called = next(name for name in names if name.startswith("chat "))
    assert collector.above(called) in {"plan run", "reflect run"}
    assert collector.attributes(called)["gen_ai.usage.output_tokens"] > 0
    assert collector.attributes("run")["perdure.run.status"] == "succeeded"
    assert heard == [f"00-{TRACE}-{collector.spans['execute_tool http_request'].span_id.hex()}-01"]
    assert SECRET_WORDS.encode() not in collector.raw  # nothing that anybody wrote, unless it is asked for


@pytest.mark.parametrize("wrong", ["", "00-xyz", f"00-{'0' * 32}-{CALLER}-01", f"00-{TRACE}-{'0' * 16}-01", "x" * 500])
def test_a_broken_traceparent_counts_as_none(wrong: str) -> None:
    assert identity.valid(wrong) is None


def test_processes_agree_on_ids_without_telling_each_other() -> None:
    run_id = "0198f000-0000-7000-8000-000000000000"
    alone, below = identity.of_run(run_id, None), identity.of_run(run_id, f"00-{TRACE}-{CALLER}-00")

    assert alone == identity.of_run(run_id, None)
    assert f"{alone.trace_id:032x}" == run_id.replace("-", "")
    assert f"{below.trace_id:032x}" == TRACE
    assert not below.trace_flags.sampled  # the caller did not want it recorded
    assert alone.span_id != identity.of_run(run_id, None, spans.EXECUTE).span_id


def test_off_there_is_no_span_and_no_header() -> None:
    with environment(PERDURE_TRACES=None), spans.tool("echo", "r:s", {}):
        assert spans.header() == {}
        assert not spans.model_called("m", "host", []).is_recording()
