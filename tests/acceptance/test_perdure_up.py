"""`perdure up`: two commands' worth of promise. It starts everything, heals it, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest

ROOT = Path(__file__).parents[2]
REQUEST = "What is 17% of 2340, and what time is it in Tokyo?"


class Stack:
    """A `perdure up` with a home, a port and an output file of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, self.flower_port = free_port(), free_port()
        self.output = home.parent / f"{home.name}.out"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        forget = {"DATABASE_URL", "REDIS_URL", "PERDURE_EMBEDDED", "OPENAI_API_KEY", "OPENAI_BASE_URL", "DYNO"}
        own = {"PERDURE_HOME": str(self.home), "PORT": str(self.port), "FLOWER_PORT": str(self.flower_port)}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway.command_line", "up", *words],
                cwd=ROOT,
                env={**{k: v for k, v in os.environ.items() if k not in forget}, **own, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self.process

    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str, seconds: float = 90) -> None:
        give_up = time.monotonic() + seconds
        while words not in self.said():
            assert self.process and self.process.poll() is None and time.monotonic() < give_up, self.said()
            time.sleep(0.1)

    def workers_in_flower(self, seconds: float = 20) -> set[str]:
        """The workers that Flower lists, once there are three or the time is up."""
        give_up = time.monotonic() + seconds
        while True:
            listed = httpx2.get(f"http://127.0.0.1:{self.flower_port}/workers?json=1").json()["data"]
            names = {worker["hostname"] for worker in listed}
            if len(names) >= 3 or time.monotonic() > give_up:
                return names
            time.sleep(0.5)

    def living(self) -> list[str]:
        """Every process that belongs to this stack, by its environment or its arguments."""
        found = []
        for process in psutil.process_iter():
            try:
                mine = process.environ().get("PERDURE_HOME") == str(self.home)
                mine = mine or any(str(self.home) in word for word in process.cmdline())
                if mine and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(f"{process.pid} {' '.join(process.cmdline())[:100]}")
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def left_after(self, seconds: float) -> list[str]:
        give_up = time.monotonic() + seconds
        while (left := self.living()) and time.monotonic() < give_up:
            time.sleep(0.2)
        return left


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    tmp_path.chmod(0o755)  # Postgres runs as a user of its own when the tests run as root
    made = Stack(tmp_path / "home")
    yield made
    if made.process and made.process.poll() is None:
        made.process.terminate()
        made.process.wait(60)


def test_a_dead_process_is_started_again_and_ctrl_c_ends_all(stack: Stack) -> None:
    process = stack.start()
    stack.wait_for("Ready.")
    page = httpx2.get(f"http://127.0.0.1:{stack.port}/")
    workers = stack.workers_in_flower()
    execution = int(stack.said().split("execution   started (pid ")[1].split(")")[0])
    os.kill(execution, signal.SIGKILL)
    stack.wait_for("execution   ended with exit code -9")
    stack.wait_for("execution   started", 10)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    code = process.wait(60)

    assert page.status_code == 200 and "nonce" in page.headers["Content-Security-Policy"]
    assert {name.split("@")[0] for name in workers} == {"planning", "execution", "reflection"}
    assert stack.said().count("execution   started") == 2
    assert code == 0 and stack.left_after(0) == []


def test_killing_it_with_9_takes_its_processes_along_and_once_answers_afterwards(stack: Stack) -> None:
    process = stack.start()
    stack.wait_for("Ready.")
    process.kill()
    process.wait()
    left = stack.left_after(40)
    again = stack.start("--once", "--request", REQUEST).wait(120)

    assert left == []
    assert again == 0, stack.said()
    assert "397.8" in stack.said() and "Tokyo" in stack.said()
    assert stack.left_after(0) == []


def test_a_second_stack_in_the_same_home_is_refused(stack: Stack) -> None:
    stack.start()
    stack.wait_for("Starting")
    second = Stack(stack.home)
    second.output = stack.home.parent / "second.out"
    code = second.start().wait(30)

    assert code == 2 and "Another stack runs in" in second.said() and "PERDURE_HOME" in second.said()


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"PORT": "taken"}, "set PORT to a free one"),
        ({"FLOWER_PORT": "taken"}, "set FLOWER_PORT to a free one"),
        ({"PORT": "eighty"}, "PORT"),
        ({"DATABASE_URL": "postgresql://127.0.0.1:9/none"}, "Postgres does not answer"),
        ({"DYNO": "web.1"}, "set DATABASE_URL and REDIS_URL"),
        ({"PERDURE_STEP_TIMEOUT": "-1"}, "PERDURE_STEP_TIMEOUT"),
    ],
)
def test_what_can_not_work_is_one_clear_line(stack: Stack, environment: dict[str, str], complaint: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code = stack.start(**{name: port if value == "taken" else value for name, value in environment.items()}).wait(
            60
        )

    complaints = [line for line in stack.said().splitlines() if line.startswith("perdure: ")]
    assert code == 2 and len(complaints) == 1 and complaint in complaints[0], stack.said()
    assert "Traceback" not in stack.said() and stack.left_after(0) == []
