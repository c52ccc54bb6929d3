"""Steps are read out of a plan as soon as their last character is there, whatever surrounds the plan."""

import json

import pytest

from planning_worker.plan_stream import StepReader

STEPS = [
    {"id": "s1", "tool": "echo", "arguments": {"value": 'a "}]" in \\ a string', "list": [1, {"x": []}]}},
    {"id": "s2", "tool": "noop", "arguments": {}},
]
PLAN = json.dumps({"steps": STEPS, "note": "done"})


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    "around", ["%s", "```json\n%s\n```", "Here you are: %s Enjoy.", '<think>{"steps": [{"id": "x"}]}</think>%s']
)
def test_every_step_is_read_once_and_in_order(size: int, around: str) -> None:
    text = around % PLAN
    reader = StepReader()
    read = [step for at in range(0, len(text), size) for step in reader.feed(text[at : at + size])]

    assert read == STEPS
    assert reader.text == text


def test_a_step_is_read_with_its_last_character_and_not_before() -> None:
    reader = StepReader()
    first = '{"steps": [{"id": "s1", "tool": "noop"'

    assert list(reader.feed(first)) == []
    assert list(reader.feed("}")) == [{"id": "s1", "tool": "noop"}]
    assert list(reader.feed(",")) == []


@pytest.mark.parametrize("text", ["no plan at all", '{"steps": "none"}', '{"steps": [}', "[1, 2]", ""])
def test_what_is_no_plan_gives_no_step(text: str) -> None:
    assert list(StepReader().feed(text)) == []
