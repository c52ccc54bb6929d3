"""Conditions: what may be written in one, and what it says of outputs."""

from typing import Any

import pytest

from services.errors import Failed, PlanRefused
from services.journal import conditions, plan_rules
from services.journal.plan_shape import Plan

OUTPUTS: dict[str, Any] = {"s1": {"count": 3, "kind": "mail", "tags": ["a", "b"]}, "s2": "text"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("${s1.count} > 2", True),
        ("${s1.count} == 3 and ${s1.kind} != 'post'", True),
        ("'a' in ${s1.tags}", True),
        ("len(${s1.tags}) > 2", False),
        ("${s1.missing}", False),
        ("${s1.missing} == null", True),
        ("lower(${s2}) == 'text' or false", True),
        ("not ${s2}", False),
        ("number('2') + 1 == 3", True),
    ],
)
def test_what_holds(condition: str, expected: bool) -> None:
    assert conditions.fault(condition) is None
    assert conditions.holds(condition, OUTPUTS) is expected


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("${s1.count} >", "no expression"),
        ("__import__('os')", "may call only"),
        ("mail == 1", "name mail"),
        ("(lambda: 1)()", "may"),
        ("'a'.upper()", "may"),
        ("[x for x in ${s1}]", "ListComp"),
    ],
)
def test_what_may_not_be_written(condition: str, said: str) -> None:
    fault = conditions.fault(condition)

    assert fault is not None
    assert said in fault


def test_what_can_not_be_compared_is_an_error_that_quotes_the_condition() -> None:
    with pytest.raises(Failed, match="s2"):
        conditions.holds("${s2} > 3", OUTPUTS)


def test_references_of_conditions_and_lists_are_dependencies() -> None:
    raw = {"id": "s3", "tool": "t", "when": "${s1} > 0", "forEach": "${s2.links}", "arguments": {"a": "${item.url}"}}
    (step,) = plan_rules.parse({"steps": [raw]}).steps

    assert step.dependencies == ["s1", "s2"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"when": "1 +"}, "#/plan/steps/0/when"),
        ({"forEach": "${item}"}, "#/plan/steps/0/forEach"),
        ({"forEach": "some text"}, "#/plan/steps/0/forEach"),
        ({"arguments": {"a": "${item}"}}, "#/plan/steps/0/arguments"),
    ],
)
def test_faults_point_at_their_field(fields: dict[str, Any], pointer: str) -> None:
    plan = Plan.model_validate({"steps": [{"id": "s1", "tool": "missing", **fields}]})
    with pytest.raises(PlanRefused) as refused:
        plan_rules.check(plan, {}, max_steps=10)

    assert pointer in [fault.pointer for fault in refused.value.errors]
