"""POST /api/signals and who waits."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient


def test_a_signal_that_nobody_waits_for_is_kept_and_says_so(http: FlaskClient) -> None:
    sent = http.post("/api/signals", json={"name": f"n-{uuid4()}", "data": {"a": 1}})

    assert (sent.status_code, sent.get_json()["woken"]) == (202, [])
    assert http.get("/api/signals/waiters").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"name": ""}, 400), ({"name": "x", "workflowId": str(uuid4())}, 404), ({"name": "x", "odd": 1}, 400)],
)
def test_what_makes_no_sense_is_refused(http: FlaskClient, body: dict[str, Any], status: int) -> None:
    assert http.post("/api/signals", json=body).status_code == status
