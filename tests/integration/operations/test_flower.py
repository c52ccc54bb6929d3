"""Flower: the three worker kinds, tasks found by their run's id, and nothing that one could change."""

import time
from typing import Any

import httpx2
import pytest

from tests import runs
from tests import stack as stacks
from tests.other_brokers import free_port

pytestmark = pytest.mark.slow
SEARCH = {"draw": 1, "start": 0, "length": 50, "order[0][column]": 0, "columns[0][data]": "name"}


@pytest.fixture(scope="module")
def flower(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    port = free_port()
    with stacks.running(tmp_path_factory.mktemp("flower"), *stacks.WORKERS, FLOWER_PORT=str(port)) as stack:
        stack.start("flower")
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
            runs.wait_until(lambda: len(workers(client)) >= 3, timeout=60)
            yield client


def workers(flower: httpx2.Client) -> set[str]:
    try:
        listed = flower.get("/workers", params={"json": 1}).json()["data"]
    except (httpx2.HTTPError, ValueError):
        return set()
    return {worker["hostname"].split("@")[0].rstrip("0123456789") for worker in listed}


def found(flower: httpx2.Client, words: str) -> list[dict[str, Any]]:
    """What the search box of Flower's task list finds."""
    return flower.get("/tasks/datatable", params=SEARCH | {"search[value]": words}).json()["data"]


def test_it_lists_the_three_kinds_of_workers(flower: httpx2.Client) -> None:
    assert workers(flower) >= {"planning", "execution", "reflection"}


def test_a_run_s_id_finds_its_tasks_of_all_kinds(flower: httpx2.Client) -> None:
    wanted = {"planning_worker.plan_run", "execution_worker.execute_run", "reflection_worker.reflect_on_run"}
    until = time.monotonic() + 60
    names: set[str] = set()
    while not names >= wanted and time.monotonic() < until:  # workers send events once Flower has asked them to
        run_id = runs.start(request="What is 17% of 2340?")
        runs.wait_for(run_id)
        time.sleep(1)
        names = {task["name"] for task in found(flower, run_id)}

    assert names >= wanted
    assert all(run_id in str(task["args"]) for task in found(flower, run_id))
    assert found(flower, "0198f000-0000-7000-8000-00000000dead") == []


@pytest.mark.parametrize(
    "path", ["/api/worker/shutdown/x", "/api/task/revoke/x", "/api/worker/pool/grow/x", "/api/task/apply/x"]
)
def test_nothing_can_be_changed_there(flower: httpx2.Client, path: str) -> None:
    assert flower.post(path).status_code in {401, 403}
