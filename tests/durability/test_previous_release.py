"""A deploy: the database is migrated, the previous release works on, the new one starts beside it, the old one ends.

The previous release is the code before the newest migration, out of the repository's own history.
"""

import io
import signal
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests import history_checker, runs
from tests import stack as stacks

ROOT = stacks.ROOT


def git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"the history is not here: git {words[0]} said {done.stderr.decode().strip()[:200]!r}")
    return done.stdout


def previous_release(folder: Path) -> Path:
    newest = git("log", "-1", "--format=%H", "--", "migrations/versions").decode().strip()
    if not newest:
        pytest.skip("no commit here has changed a migration")
    with tarfile.open(fileobj=io.BytesIO(git("archive", f"{newest}^"))) as archive:
        archive.extractall(folder, filter="data")
    there = {file.name for file in (folder / "migrations/versions").glob("*.py")}
    here = {file.name for file in (ROOT / "migrations/versions").glob("*.py")}
    assert there < here, "the release before it has fewer migrations"
    return folder


def some_runs() -> list[str]:
    plans = [
        runs.chain(3, "keyed_effect", seconds=0.2),
        runs.fan(4, "slow_effect", seconds=0.2),
        runs.chain(2, "waits"),
    ]
    return [runs.start(plan) for plan in plans] + [runs.start(request="What is 17% of 2340?")]


@pytest.mark.slow
def test_the_previous_release_works_on_over_the_new_tables(
    servers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "logs").mkdir()
    ledger = tmp_path / "ledger.txt"
    environment = {"PERDURE_TOOLS": "tests.side_effect_tools", "SIDE_EFFECT_LEDGER": str(ledger)}
    monkeypatch.setattr(stacks, "ROOT", previous_release(tmp_path / "previous"))
    with stacks.running(tmp_path / "logs", *stacks.WORKERS, PERDURE_DRAIN_SECONDS="3", **environment) as stack:
        alone = some_runs()
        ended = [runs.wait_for(run_id).status for run_id in alone]
        old = [process for kind in stacks.WORKERS for process in stack.alive(kind)]
        monkeypatch.setattr(stacks, "ROOT", ROOT)
        for kind in stacks.WORKERS:
            stack.start(kind)
        stack.wait_for_workers(list(stacks.WORKERS))
        together = some_runs()
        for process in old:
            process.send_signal(signal.SIGTERM)
        after = some_runs()
        ended += [runs.wait_for(run_id).status for run_id in together + after]

    assert set(ended) == {"succeeded"}
    assert history_checker.faults(alone + together + after, ledger) == []
