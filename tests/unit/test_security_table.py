"""SECURITY.md names a test for every control, and every test that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()


def test_every_control_has_its_test() -> None:
    controls = TEXT.partition("## Controls")[2].partition("\n## ")[0]
    rows = [line for line in controls.splitlines() if line.startswith("| ")][1:]

    assert len(rows) >= 20
    assert [row for row in rows if "`tests/" not in row] == []


def test_every_file_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:tests|services|gateway)/[\w/.]+)`", TEXT)

    assert [name for name in named if not (ROOT / name).exists()] == []
