"""Fixtures of the gateway's tests: Flask's client, a real gunicorn, and runs whose events are written by hand."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from flask.testing import FlaskClient

from gateway.app import create_app
from services import database, settings
from services.journal import event_feed, runs
from services.tools import catalogue
from services.tools.contract import tool
from tests.integration.gateway.contract import Contract

ROOT = Path(__file__).parents[3]


@tool(effect="pure")
def echo(text: str) -> str:
    """Say it again."""
    return text


@tool(effect="pure")
def wait_for(seconds: float) -> None:
    """Wait a while."""


@pytest.fixture
def tools(servers: Any) -> Iterator[None]:
    """A catalogue of two tools, as an execution worker would have written it."""
    from gateway import known_tools

    catalogue.register([("test", echo), ("test", wait_for)])
    known_tools._cache.clear()
    yield
    catalogue.register([])
    known_tools._cache.clear()


@pytest.fixture
def http(servers: Any) -> FlaskClient:
    """Flask's client; every reply is held against /openapi.json."""
    app = create_app()
    app.after_request(Contract(app).check)
    return app.test_client()


@pytest.fixture
def keys_required(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PERDURE_AUTH", "required")
    settings.current.cache_clear()
    yield
    monkeypatch.undo()
    settings.current.cache_clear()


class HandWrittenRun:
    """A run that no worker touches; its events are written through the journal as a planning worker would."""

    def __init__(self) -> None:
        self.id = str(runs.new_id())
        self._phase: runs.Phase | None = None
        runs.create(
            {"id": self.id, "tenant": "default", "user_id": "u", "conversation_id": str(uuid4()), "request": "x"}
        )

    def claim(self) -> runs.Phase:
        if self._phase is None:
            self._phase = runs.claim_phase(self.id, "plan", "worker")
        assert self._phase
        return self._phase

    def say(self, *texts: str, publish: bool = True) -> list[dict[str, Any]]:
        """Append one answer.delta for each text."""
        new = runs.append_events(
            self.claim(), [{"name": "answer.delta", "data": {"text": text, "attempt": 1}} for text in texts]
        )
        assert new
        if publish:
            event_feed.publish(new)
        return new

    def end(self, *, publish: bool = True) -> list[dict[str, Any]]:
        """End the run with run.failed."""
        new = runs.fail_phase(self.claim(), detail="enough", retry_in=None)
        assert new
        if publish:
            event_feed.publish(new)
        return new


@pytest.fixture
def run(servers: Any) -> HandWrittenRun:
    return HandWrittenRun()


class Gateway:
    """A gunicorn of its own on a free port."""

    def __init__(self, port: int | None = None, **environment: str) -> None:
        self.port = port or _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "gateway/gunicorn.conf.py", "gateway.app:create_app()"],
            cwd=ROOT,
            env={**os.environ, "PORT": str(self.port), "WEB_CONCURRENCY": "1", **environment},
        )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        give_up = time.monotonic() + 20
        while True:
            try:
                if httpx2.get(f"{self.url}/healthz").status_code == 200:
                    return
            except httpx2.TransportError:
                assert time.monotonic() < give_up and self.process.poll() is None, "the gateway does not start"
                time.sleep(0.05)

    def updates(self, run_id: str, after: int = 0) -> str:
        return f"ws://127.0.0.1:{self.port}/api/agent/updates?workflowId={run_id}&after={after}"

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(25)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def gateway(servers: Any) -> Iterator[Gateway]:
    started = Gateway()
    yield started
    started.stop()


def count(query: str, *parameters: Any) -> int:
    """The number that this SQL returns."""
    connection = database.engine().raw_connection()
    try:
        return connection.driver_connection.execute(query, parameters).fetchone()[0]  # type: ignore[union-attr]
    finally:
        connection.close()
