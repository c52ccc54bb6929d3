"""References between steps keep types, imply dependencies, and say what they miss."""

import pytest

from services.errors import Failed
from services.journal import references


def test_a_reference_that_is_the_whole_value_keeps_its_type() -> None:
    outputs = {"s1": {"items": [{"n": 3}], "ok": True}}

    assert references.resolve({"a": "${s1.items[0].n}", "b": "${s1.ok}", "c": "${s1}"}, outputs) == {
        "a": 3,
        "b": True,
        "c": outputs["s1"],
    }


def test_a_reference_inside_text_is_written_as_text() -> None:
    outputs = {"s1": {"n": 3, "list": [1, 2]}}

    assert references.resolve("n is ${s1.n}, list ${s1.list}", outputs) == "n is 3, list [1,2]"


def test_the_steps_that_a_value_refers_to_are_found_anywhere_in_it() -> None:
    value = {"a": ["${s1.x}", {"b": "and ${other-step} too"}], "c": 5, "d": "$" + "{not closed"}

    assert references.step_ids(value) == {"s1", "other-step"}


def test_a_path_that_finds_nothing_fails_by_name() -> None:
    with pytest.raises(Failed, match=r"\$\{s1\.nope\}"):
        references.resolve("${s1.nope}", {"s1": {"x": 1}})
