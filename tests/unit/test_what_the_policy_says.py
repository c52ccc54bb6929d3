"""The policy: the first rule that fits tool, arguments and agent decides; else the tool itself, and the run's taint."""

from typing import Any

import pytest

from services.approvals import policies
from services.approvals.policies import Call, Policy


def rule(decision: str, tool: str = "*", **fields: Any) -> Policy:
    return Policy(**{"decision": decision, "tool": tool, "even_tainted": False, **fields})


def call(tool: str = "pay", permission: Any = "allow", acts_outside: bool = True, **arguments: Any) -> Call:
    return Call("default", tool, arguments, permission, acts_outside)


def decided(asked: Call, *rules: Policy, agent: str | None = None, tainted: bool = False) -> str:
    fitting = [each for each in rules if policies._fits(each, asked)]
    return policies.decide(asked, fitting, agent=agent, tainted=tainted).decision


def test_the_first_rule_that_fits_decides() -> None:
    assert decided(call(), rule("deny", "mail_*"), rule("ask", "p*"), rule("allow")) == "ask"


@pytest.mark.parametrize(
    ("wanted", "arguments", "fits"),
    [
        ({"url": "https://a.example/*"}, {"url": "https://a.example/x"}, True),
        ({"url": "https://a.example/*"}, {"url": "https://a.example.evil/x"}, False),
        ({"amount": {"minimum": 100}}, {"amount": 100}, True),
        ({"amount": {"minimum": 100}}, {"amount": 99}, False),
        ({"amount": {"minimum": 100}}, {}, False),
        ({"to": '*"boss"*'}, {"to": ["boss"]}, True),
        ({"a": "x", "b": "y"}, {"a": "x", "b": "z"}, False),
    ],
)
def test_arguments_fit_a_pattern_or_a_schema(wanted: dict[str, Any], arguments: dict[str, Any], fits: bool) -> None:
    assert decided(call(**arguments), rule("deny", arguments=wanted)) == ("deny" if fits else "allow")


def test_a_rule_may_hold_for_one_agent() -> None:
    only = rule("deny", agent="intern-*")

    assert decided(call(), only, agent="intern-7") == "deny"
    assert decided(call(), only, agent="boss") == "allow"
    assert decided(call(), only) == "allow"


def test_without_a_rule_the_tool_itself_decides() -> None:
    assert [decided(call(permission=each)) for each in ("allow", "ask", "deny")] == ["allow", "ask", "deny"]


def test_in_a_tainted_run_what_acts_outside_is_asked_for_unless_a_rule_says_otherwise() -> None:
    assert decided(call(), tainted=True) == "ask"
    assert decided(call(acts_outside=False), tainted=True) == "allow"
    assert decided(call(), rule("allow"), tainted=True) == "ask"
    assert decided(call(), rule("allow", even_tainted=True), tainted=True) == "allow"
    assert decided(call(permission="deny"), tainted=True) == "deny"
