"""Failpoints: unarmed they do nothing; armed, the process is gone at the n-th time and not before."""

import subprocess
import sys
from pathlib import Path

import pytest

from services import failpoints
from services.errors import Misconfigured
from services.failpoints import Failpoint
from tests.environment import environment

ROOT = Path(__file__).parents[2]


def reaching(times: int, armed: str) -> int:
    """The exit code of a process that reaches a point so often."""
    code = (
        f"from services import failpoints\nfor _ in range({times}): failpoints.reached(failpoints.Failpoint.STEP_RAN)"
    )
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PERDURE_FAILPOINT": armed}, check=False, capture_output=True
    ).returncode


@pytest.mark.parametrize(
    ("times", "armed", "ends"),
    [(1, "step_ran", -9), (1, "step_ran:2", 0), (2, "step_ran:2", -9), (5, "run_ended", 0), (1, "", 0)],
)
def test_a_process_dies_at_the_armed_point_at_its_time(times: int, armed: str, ends: int) -> None:
    assert reaching(times, armed) == ends


@pytest.mark.parametrize("armed", ["nowhere", "step_ran:often"])
def test_a_point_that_does_not_exist_is_refused(armed: str) -> None:
    with environment(PERDURE_FAILPOINT=armed):
        failpoints._armed.cache_clear()
        with pytest.raises(Misconfigured, match="PERDURE_FAILPOINT"):
            failpoints.reached(Failpoint.STEP_RAN)
    failpoints._armed.cache_clear()
