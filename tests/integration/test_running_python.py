"""The tool run_python: what it computes, and what the sandbox stops."""

from typing import Any

import pytest

from execution_worker import sandbox
from execution_worker.sandbox import CodeFailed, LimitReached
from execution_worker.tools.run_python import run_python
from services import clock
from services.errors import Failed


def run(code: str, **inputs: Any) -> dict[str, Any]:
    result: dict[str, Any] = run_python.function(code=code, inputs=inputs)
    return result


def test_the_last_expression_is_the_value_and_inputs_are_variables() -> None:
    assert run("total = sum(numbers)\nprint('so far', total)\ntotal * 2", numbers=[1, 2, 3]) == {
        "value": 12,
        "printed": "so far 6\n",
        "text": "12",
    }


def test_a_value_is_given_back_as_json_has_it() -> None:
    assert run("{1: (1, 2), 'a': {3}}")["value"] == {"1": [1, 2], "a": [3]}


@pytest.mark.parametrize(
    "code",
    ["open('/etc/passwd').read()", "import socket", "import subprocess", "import os\nos.system('id')",
     "import os\nos.environ['PATH']", "__import__('os')", "().__class__.__bases__[0].__subclasses__()",
     "eval(\"open('/etc/passwd').read()\")", "exec('import socket')",
     "import ctypes", "from pathlib import Path\nPath('/etc/passwd').read_text()"],
)  # fmt: skip
def test_there_is_no_file_network_or_process(code: str) -> None:
    with pytest.raises(CodeFailed):
        run(code)


@pytest.mark.parametrize(
    "code",
    ["while True: pass", "'a' * 10**10", "x = [0]\nwhile True: x = x + x", "2 ** 10 ** 10",
     "def f(n): return f(n + 1)\nf(0)", "while True: print('x' * 1000)", "'x' * 2_000_000",
     "import time\ntime.sleep(1000)"],
)  # fmt: skip
def test_time_memory_depth_and_output_are_limited(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SECONDS", 0.5)
    begun = clock.monotonic()

    with pytest.raises(LimitReached):
        run(code)
    assert clock.monotonic() - begun < 5
    assert run("1 + 1")["value"] == 2


@pytest.mark.parametrize(
    ("code", "said"), [("1 / 0", "ZeroDivisionError"), ("x ===", "can't be read"), ("y", "NameError")]
)
def test_a_fault_in_the_code_is_told(code: str, said: str) -> None:
    with pytest.raises(CodeFailed, match=said):
        run(code)


def test_inputs_have_names_that_python_takes() -> None:
    with pytest.raises(Failed):
        run_python.values_of({"code": "1", "inputs": {"a b": 1}})
