"""Steps with a condition, and steps that run for every item of a list: through the real workers."""

from typing import Any

import pytest

from services.journal import steps
from tests import runs


def step(name: str, tool: str = "echo", after: str = "", **more: Any) -> dict[str, Any]:
    arguments = more.pop("arguments", {} if tool == "noop" else {"value": name})
    return {"id": name, "tool": tool, "arguments": arguments, "dependsOn": after.split(), **more}


def ended(*plan: dict[str, Any]) -> dict[str, steps.Step]:
    run = runs.wait_for(runs.start({"steps": list(plan)}))
    found = {one.id: one for one in steps.of_run(run.id)}
    assert run.status == "succeeded", (run.error, {name: one.status for name, one in found.items()})
    return found


def test_one_of_two_branches_is_taken_and_what_joins_them_goes_on(workers: Any) -> None:
    done = ended(
        step("first", arguments={"value": {"count": 3}}),
        step("many", after="first", when="${first.value.count} > 1 and len(${first.value}) == 1"),
        step("few", after="first", when="not ${first.value.count} > 1"),
        step("uses", arguments={"value": "${few.value}"}),
        step("join", after="many few"),
    )

    assert {name: one.status for name, one in done.items()} == {
        "first": "succeeded",
        "many": "succeeded",
        "few": "skipped",
        "uses": "skipped",
        "join": "succeeded",
    }


def test_a_step_runs_for_every_item_and_its_output_is_theirs_in_order(workers: Any) -> None:
    done = ended(
        step("list", arguments={"value": [{"n": 3}, {"n": 1}, {"n": 2}]}),
        step(
            "each",
            arguments={"value": "item ${index} of ${list.value[0].n}: ${item.n}"},
            forEach="${list.value}",
        ),
        step("last", arguments={"value": "${each[2].value}"}),
    )

    assert [one["value"] for one in done["each"].output] == ["item 0 of 3: 3", "item 1 of 3: 1", "item 2 of 3: 2"]
    assert done["last"].output["value"] == "item 2 of 3: 2"
    assert done["each[1]"].depends_on == ["list"]


def test_items_that_take_time_run_side_by_side(workers: Any) -> None:
    done = ended(
        step("list", arguments={"value": [0.4] * 6}),
        step("each", "sleep", arguments={"seconds": "${item}"}, forEach="${list.value}"),
    )
    began = [done[f"each[{n}]"].started_at for n in range(6)]

    assert len(done["each"].output) == 6
    assert (max(began) - min(began)).total_seconds() < 0.4


def test_no_items_make_an_empty_list(workers: Any) -> None:
    done = ended(
        step("list", arguments={"value": []}), step("each", arguments={"value": "${item}"}, forEach="${list.value}")
    )

    assert done["each"].output == []


def test_what_is_no_list_fails_with_a_sentence(workers: Any) -> None:
    plan = {"steps": [step("list"), step("each", arguments={"value": "${item}"}, forEach="${list.value}")]}
    run = runs.wait_for(runs.start(plan))

    assert run.status == "failed"
    assert run.error and "forEach needs a list" in run.error["detail"]


@pytest.mark.parametrize("count", [1, 30])
def test_an_item_that_fails_fails_the_run_and_names_the_item(workers: Any, count: int) -> None:
    values = ["1 + 1"] * count + ["1 / 0"]
    plan = {
        "steps": [
            step("list", arguments={"value": values}),
            step("each", "calculate", arguments={"expression": "${item}"}, forEach="${list.value}"),
        ]
    }
    run = runs.wait_for(runs.start(plan))

    assert run.status == "failed"
    assert run.error and run.error["step"] == f"each[{count}]"
