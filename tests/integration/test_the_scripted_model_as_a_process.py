"""The scripted model runs as a process of its own, from a script file, for tests of the whole stack."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from time import sleep

from services import clock
from services.model import provider
from tests.environment import environment


def test_rules_come_before_the_queue_and_the_rest_gets_the_default(tmp_path: Path) -> None:
    script = {
        "replies": [{"text": "first"}, {"plan": {"steps": []}}],
        "rules": [{"match": "weather", "reply": {"text": "Sunny."}}],
        "otherwise": {"text": "as always"},
    }
    file = tmp_path / "script.json"
    file.write_text(json.dumps(script))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.scripted_model", "--port", str(port), "--script", str(file)]
    )
    try:
        _wait_for(port)
        with environment(OPENAI_BASE_URL=f"http://127.0.0.1:{port}/v1", OPENAI_API_KEY=None):
            said = [
                provider.complete([{"role": "user", "content": words}]).text
                for words in ("hello", "how is the weather?", "plan", "again")
            ]
    finally:
        process.terminate()
        process.wait(10)

    assert said == ["first", "Sunny.", '{"steps": []}', "as always"]


def _wait_for(port: int) -> None:
    deadline = clock.monotonic() + 15
    while clock.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            sleep(0.05)
    raise AssertionError("the scripted model did not start")
