"""The habits of the house, checked: sizes, docstrings, names, and one home for each outside thing."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ["services", "planning_worker", "execution_worker", "reflection_worker", "gateway", "migrations"]
MODULES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts
)
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"}

# What may appear only in one place: a pattern, and where its home is.
HOMES = {
    r"\bos\.environ\b|\bos\.getenv\b|\bgetenv\(": ["services/settings.py", "gateway/stack"],
    r"datetime\.now\(|datetime\.utcnow\(|date\.today\(": ["services/clock.py"],
    r"^\s*(import openai|from openai)": ["services/model/"],
    r"\bchord\(|\bchain\(|\bgroup\(\[": ["services/pipeline/phases.py"],
}


def _id(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=_id)
def test_every_module_opens_with_what_lives_there_and_stays_small(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)

    assert ast.get_docstring(tree), "the module needs a docstring"
    assert len(text.splitlines()) <= 300
    assert path.stem not in VAGUE


@pytest.mark.parametrize("path", MODULES, ids=_id)
def test_functions_are_short_and_public_ones_say_what_they_mean(path: Path) -> None:
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    for function in functions:
        assert (function.end_lineno or 0) - function.lineno < 60, f"{function.name} is too long"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            decorated = any(
                any(word in ast.unparse(mark) for word in ("route", "handler", "overload"))
                for mark in node.decorator_list
            )
            assert ast.get_docstring(node) or decorated, f"{node.name} needs a docstring"


@pytest.mark.parametrize("pattern", HOMES, ids=list(HOMES))
def test_each_outside_thing_has_one_home(pattern: str) -> None:
    homes = HOMES[pattern]
    strays = [
        f"{_id(path)}:{number}"
        for path in MODULES
        if not any(_id(path).startswith(home) for home in homes)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line) and not line.lstrip().startswith(("#", '"""'))
    ]

    assert strays == []
