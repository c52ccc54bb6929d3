"""What is installed is what was locked: every package at one version, with the hashes of its files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-test.lock")


def pinned(lock: str) -> dict[str, list[str]]:
    """Each package's line with its hashes, by name."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in (ROOT / lock).read_text().splitlines():
        if begins := re.match(r"([a-z0-9][\w.-]*)(\[[\w,]+\])?==\S+ \\$", line):
            name = begins[1]
            found[name] = []
        elif line.strip().startswith("--hash="):
            found[name].append(line.strip().rstrip(" \\"))
        else:
            assert not line or line.startswith("#"), f"{lock} has a line that pins nothing: {line}"
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes(lock: str) -> None:
    packages = pinned(lock)

    assert len(packages) > 50
    assert all(packages.values())
    assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for hashes in packages.values() for each in hashes)


def test_the_tests_run_on_what_users_run_on() -> None:
    users, tests = pinned(LOCKS[0]), pinned(LOCKS[1])

    assert {name: hashes for name, hashes in tests.items() if name in users} == users


def test_everything_is_installed_by_hash() -> None:
    makefile = (ROOT / "Makefile").read_text()

    for lock in LOCKS:
        assert f"install --require-hashes --no-deps --progress-bar off -r {lock}" in makefile
