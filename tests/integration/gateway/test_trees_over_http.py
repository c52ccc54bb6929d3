"""GET /api/runs/{id}/tree and what a run shows of its family."""

from uuid import uuid4

from flask.testing import FlaskClient

from gateway import families

SPENT = {"calls": 1, "tokens": 10, "cost": 0.5}


def test_a_run_without_children_is_a_tree_of_one(http: FlaskClient) -> None:
    run_id = http.post("/api/agent/start", json={"request": "Hello"}).get_json()["workflowId"]
    tree = http.get(f"/api/runs/{run_id}/tree").get_json()
    shown = http.get(f"/api/runs/{run_id}").get_json()

    assert (tree["workflowId"], tree["children"], tree["total"]["calls"]) == (run_id, [], 0)
    assert (shown["parent"], shown["children"]) == (None, [])


def test_an_unknown_run_has_no_tree(http: FlaskClient) -> None:
    assert http.get(f"/api/runs/{uuid4()}/tree").status_code == 404


def test_costs_add_up_from_the_leaves() -> None:
    rows = [
        {"workflowId": "a", "parent": None, "own": SPENT},
        {"workflowId": "b", "parent": "a", "own": SPENT},
        {"workflowId": "c", "parent": "b", "own": SPENT},
        {"workflowId": "d", "parent": "a", "own": SPENT},
    ]
    tree = families.tree(rows)

    assert tree["total"] == {"calls": 4, "tokens": 40, "cost": 2.0}
    assert [child["total"]["calls"] for child in tree["children"]] == [2, 1]
