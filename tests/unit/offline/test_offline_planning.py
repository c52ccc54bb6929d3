"""What the offline planner promises whatever the wording: references, order, refusals, tools it has not met."""

import time
from typing import Any

import pytest

from planning_worker import offline
from planning_worker.plan_request import PlanRequest
from services.journal.plan_shape import Plan
from services.tools import catalogue
from services.tools.contract import Tool, tool
from tests.unit.offline import harness


@tool(effect="pure", examples=["Look up the order 4711", "Where is order 12?"])
def find_order(number: int) -> dict[str, Any]:
    """Find an order by its number."""
    return {"text": f"Order {number} is on its way."}


@tool(effect="pure", examples=["What's the status of the server?"])
def server_status() -> dict[str, Any]:
    """How the server does."""
    return {"text": "All is well."}


@tool(effect="pure", examples=["Greet the customer “Ada Lovelace” warmly"])
def greet_customer(name: str) -> dict[str, Any]:
    """Greet a customer."""
    return {"text": f"Good day, {name}!"}


@tool(effect="unsafe", permission="deny", examples=["Launch the rocket 7"])
def launch(number: int) -> dict[str, Any]:
    """Not allowed here."""
    return {"text": "Gone."}


OWN = {one.name: one for one in (find_order, server_status, greet_customer, launch)}


def played(request: str, **more: Any) -> harness.Played:
    return harness.play(harness.Case("own", request, [], **more), OWN)


def bare_plan(request: str, tools: dict[str, Tool]) -> Plan:
    listed = {name: catalogue.listing("test", one) for name, one in tools.items()}
    return offline.plan(PlanRequest(request, harness.NOW, listed))


def test_a_clause_that_builds_on_another_refers_to_its_value() -> None:
    steps = played("What is 17% of 2340, then add 5 to it").plan.steps

    assert steps[1].arguments == {"expression": "${s1.value} + 5"}
    assert steps[1].dependencies == ["s1"]


def test_what_follows_a_wait_depends_on_it() -> None:
    steps = played("Wait 10 ms, then tell me the time in Rome").plan.steps

    assert [step.tool for step in steps] == ["sleep", "current_time"]
    assert steps[1].depends_on == ["s1"]


def test_the_same_page_is_fetched_once_for_all_that_is_asked_of_it() -> None:
    steps = played("What is the title of https://example.com/otters? How many links does it have?").plan.steps

    assert [step.tool for step in steps] == ["fetch_page"]
    assert steps[0].why == "title | count of links"


def test_a_recall_waits_for_what_is_remembered_in_the_same_request() -> None:
    steps = played("Remember that the boiler is blue. What did I say about the kitchen?").plan.steps

    assert [step.tool for step in steps] == ["remember", "search_memory"]
    assert steps[1].depends_on == ["s1"]


@pytest.mark.parametrize(
    ("request_", "tool_name", "arguments"),
    [
        ("Where is order 992?", "find_order", {"number": 992}),
        ("Please look up the order 5.", "find_order", {"number": 5}),
        ("what's the status of the server", "server_status", {}),
        ("Greet the customer 'Grace Hopper' warmly", "greet_customer", {"name": "Grace Hopper"}),
    ],
)
def test_a_tool_of_the_app_is_found_by_its_examples(request_: str, tool_name: str, arguments: dict[str, Any]) -> None:
    steps = played(request_).plan.steps

    assert [(step.tool, step.arguments) for step in steps] == [(tool_name, arguments)]


@pytest.mark.parametrize(
    "request_",
    ["Where is the nearest bakery 5?", "Launch the rocket 7", "Look up the order", "Order 3 books for 2 men"],
)
def test_what_is_only_a_little_like_an_example_is_declined(request_: str) -> None:
    plan = played(request_).plan

    assert plan.steps == []
    assert "OPENAI_API_KEY" in (plan.note or "")


def test_a_tool_that_is_not_in_the_catalogue_is_never_planned() -> None:
    plan = bare_plan("What is 2 + 2?", {})

    assert plan.steps == []
    assert "“What is 2 + 2”" in (plan.note or "") or "2 + 2" in (plan.note or "")


def test_a_refusal_names_the_clause_and_how_to_get_a_model() -> None:
    note = played("Write a haiku about rain, and what is 6 * 7?").plan.note

    assert note is not None
    assert "“Write a haiku about rain”" in note
    assert "OPENAI_API_KEY or OPENAI_BASE_URL" in note


def test_what_builds_on_a_declined_clause_is_declined_too() -> None:
    turns = [["user", "What is 2 + 2?"], ["assistant", "2 + 2 is 4."]]

    plan = played("Convert 10 dollars to euros, then double it", turns=turns).plan

    assert plan.steps == []


@pytest.mark.parametrize(
    "request_",
    [
        "",
        "   ",
        "?!.,;",
        "and and and then then",
        "((((((((((",
        "“unclosed",
        "${s1.value} + 1",
        "what is " + "9" * 3000,
        "1 + " * 2000,
        "how many " * 300 + "?",
        "what time is it in " + "a " * 200,
        "convert " + "5 " * 200 + "to km",
        "remember that " + "x, and " * 400,
        "a, b and c then " * 120,
        "days between " + "1 May and " * 60,
        "\u0000\ud83d\ude00 what is 2+2".encode("utf-8", "ignore").decode(),
        "5 foot 99999999999999999999999999999999999 in cm",
        "1e999 km in miles",
        "what is 0 x 0x10",
        "how many days until 99999-99-99",
    ],
)
def test_odd_requests_are_answered_quickly_and_without_an_error(request_: str) -> None:
    started = time.monotonic()

    plan = played(request_).plan

    assert plan.steps or plan.note
    assert time.monotonic() - started < 10  # generous: the point is that no pattern runs away
