"""POST /api/gc and `perdure gc`."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from services import database
from tests.integration.gateway.conftest import Gateway, HandWrittenRun
from tests.integration.gateway.test_the_client import perdure

YEAR = 365 * 86_400


def make_old(run: HandWrittenRun) -> None:
    run.end(publish=False)
    with database.session() as session:
        session.execute(text("update runs set finished_at = now() - interval '2 years' where id = :id"), {"id": run.id})
        session.execute(text("update dead_letters set resolved_at = now() where run_id = :id"), {"id": run.id})


def test_without_saying_otherwise_it_is_a_dry_run(http: FlaskClient, run: HandWrittenRun) -> None:
    make_old(run)
    dry = http.post("/api/gc", json={"olderThan": YEAR, "states": ["failed"]})
    before = http.get(f"/api/runs/{run.id}").status_code
    done = http.post("/api/gc", json={"olderThan": YEAR, "states": ["failed"], "dryRun": False})

    assert (dry.json["dryRun"], dry.json["runs"], before) == (True, 1, 200)
    assert done.json["runs"] == 1
    assert http.get(f"/api/runs/{run.id}").status_code == 404


@pytest.mark.parametrize("body", [{}, {"olderThan": 1, "states": []}, {"olderThan": 1, "states": ["executing"]}])
def test_what_makes_no_sense_is_refused(http: FlaskClient, body: dict[str, Any]) -> None:
    assert http.post("/api/gc", json=body).status_code == 400


def test_the_command_line_deletes_by_age_and_state(gateway: Gateway, run: HandWrittenRun) -> None:
    make_old(run)
    asked = ("gc", "--older-than", "365d", "--state", "failed")
    dry = perdure(gateway, *asked, "--dry-run")
    done = perdure(gateway, *asked)
    wrong = perdure(gateway, "gc", "--older-than", "soon", "--state", "failed")

    assert dry.stdout == "1 runs, 0 steps, 2 events would be deleted\n"
    assert done.stdout == "1 runs, 0 steps, 2 events were deleted\n"
    assert wrong.returncode == 2
