"""Debian's redis-server and rabbitmq-server on loopback, for the durability suite: `make faults BROKER=redis|rabbitmq`.

`servers` (conftest.py) starts one of them where PERDURE_TEST_BROKER says so.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one on the PATH insists on a user of its own
START_SECONDS = 90


@contextmanager
def redis_server(home: Path) -> Iterator[str]:
    """A real Redis that keeps nothing, for the length of the block; gives its URL. Skips where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(home), "--save", "", "--appendonly", "no"]
    with (home / "redis.log").open("wb") as log:
        process = subprocess.Popen([program, *options], stdout=log, stderr=log)
    try:
        _wait_for(port, process, home / "redis.log")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        _end(process)


@contextmanager
def rabbitmq(home: Path) -> Iterator[str]:
    """A RabbitMQ node of its own, with its own epmd; gives its URL. Skips where there is none."""
    if not RABBITMQ.exists():
        pytest.skip("rabbitmq-server is not installed (Debian: apt-get install rabbitmq-server)")
    home.mkdir(parents=True, exist_ok=True)
    port, epmd = free_port(), str(free_port())
    plugins = home / "enabled_plugins"
    plugins.write_text("[].")
    environment = {
        **os.environ,
        "HOME": str(home),  # where Erlang keeps its cookie
        "ERL_EPMD_PORT": epmd,
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"perdure{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_CONF_ENV_FILE": str(home / "none"),
        "RABBITMQ_CONFIG_FILE": str(home / "none"),
        "RABBITMQ_PID_FILE": str(home / "pid"),
    }
    with (home / "rabbitmq.log").open("wb") as log:
        process = subprocess.Popen([str(RABBITMQ)], env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_for(port, process, home / "rabbitmq.log")
        yield f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:
        _end(process)
        subprocess.run(["epmd", "-port", epmd, "-kill"], capture_output=True, check=False)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None and time.monotonic() < give_up, f"it does not start:\n{log.read_text()[-2000:]}"
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
