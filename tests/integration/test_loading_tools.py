"""Tools of an app's own: by PERDURE_TOOLS or an entry point, and said at the start."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from execution_worker import registry
from services.errors import Misconfigured
from services.tools import catalogue
from tests.environment import environment

TEN_LINES = '''
from services.tools.contract import ToolContext, tool


@tool(effect="idempotent", timeout=10, examples=["Refund order 17"])
def refund_order(context: ToolContext, order: int) -> dict:
    """Refund an order."""
    return {"order": order, "text": f"Order {order} is refunded."}
'''


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, servers: Any) -> Iterator[Path]:
    (tmp_path / "my_app_tools.py").write_text(TEN_LINES)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("my_app_tools", None)
    with environment(PERDURE_TOOLS=None):
        registry.load()


def test_ten_lines_in_one_file_are_a_tool_and_the_worker_says_so(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with environment(PERDURE_TOOLS="my_app_tools"):
        registry.load()
        listed = catalogue.listed()["refund_order"]
        said = capsys.readouterr().out

    assert (listed.source, listed.schema["required"], listed.effect) == ("my_app_tools", ["order"], "idempotent")
    assert "Tools are loaded" in said
    assert "my_app_tools" in said
    assert "refund_order" in said


def test_an_installed_package_brings_its_tools_by_entry_point(app: Path) -> None:
    info = app / "my_app-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_app\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[perdure.tools]\nmine = my_app_tools\n")
    registry.load()

    assert catalogue.listed()["refund_order"].source == "my_app_tools"


def test_a_module_that_is_not_there_is_named(app: Path) -> None:
    with environment(PERDURE_TOOLS="no_such_module"), pytest.raises(Misconfigured, match="no_such_module"):
        registry.load()


def test_what_the_documentation_shows_is_what_works() -> None:
    shown = (Path(__file__).parents[2] / "docs" / "tools.md").read_text()

    for name in ('@tool(effect="idempotent", timeout=10', "PERDURE_TOOLS=my_app.tools", "perdure.tools"):
        assert name in shown


def test_every_built_in_tool_is_documented(servers: Any) -> None:
    shown = (Path(__file__).parents[2] / "docs" / "tools.md").read_text()
    registry.load()
    missing = [name for name in registry._tools if f"`{name}`" not in shown]

    assert set(missing) <= {"calendar_facts", "time_difference"}
