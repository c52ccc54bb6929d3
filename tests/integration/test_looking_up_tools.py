"""Of hundreds of tools, those that fit a request are found, by words and by meaning, and a model is told of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from execution_worker import registry
from gateway import known_tools
from gateway.app import create_app
from planning_worker import fitting_tools
from planning_worker.plan_request import PlanRequest, Turn
from reflection_worker import embedding
from services import clock
from services.memory import embedders, minilm
from services.tools import catalogue, lookup, tool_vectors
from services.tools.catalogue import ListedTool
from services.tools.contract import FreeArguments, Retry, Tool
from tests.environment import environment

LABELLED = Path(__file__).parent / "lookup"
SHOWN = 8


def lines(name: str) -> list[list[str]]:
    """The fields of a file's lines."""
    text = (LABELLED / name).read_text(encoding="utf-8")
    return [[field.strip() for field in line.split("|")] for line in text.splitlines() if not line.startswith("#")]


def parts(field: str) -> list[str]:
    return [part.strip() for part in field.split(";") if part.strip()]


def made(name: str, description: str, capabilities: str, examples: str) -> Tool:
    return Tool(
        name=name,
        description=description,
        function=lambda: None,
        arguments=FreeArguments,
        takes_context=False,
        effect="pure",
        timeout=1,
        retry=Retry(),
        permission="allow",
        capabilities=tuple(parts(capabilities)),
        examples=tuple(parts(examples)),
        json_schema={"type": "object"},
    )


TUNED = lines("requests.txt")
HELD_OUT = lines("requests_held_out.txt")


@pytest.fixture(scope="module")
def tools(servers: Any) -> Iterator[dict[str, ListedTool]]:
    """The labelled tools and the built-in ones, with their vectors as the reflection worker makes them."""
    built_in = [("built-in", tool) for tool in registry._built_in()]
    catalogue.register([*built_in, *(("app", made(*fields)) for fields in lines("tools.txt"))])
    known_tools._cache.clear()
    embedding.embed_pending()
    yield catalogue.listed()
    catalogue.register([])
    known_tools._cache.clear()


def share_found(requests: list[list[str]], tools: dict[str, ListedTool]) -> tuple[float, list[str]]:
    missed = []
    for request, name in requests:
        found = [one.tool.name for one in lookup.fitting(request, tools, SHOWN).items]
        if name not in found:
            missed.append(f"{request} → {found}")
    return 1 - len(missed) / len(requests), missed


def test_the_right_tool_is_among_the_first_eight_for_95_of_100_requests(tools: dict[str, ListedTool]) -> None:
    tuned, missed = share_found(TUNED, tools)
    held_out, missed_of_held_out = share_found(HELD_OUT, tools)

    assert len(tools) >= 200
    assert len(TUNED) >= 200
    assert {name for _, name in TUNED + HELD_OUT} <= tools.keys()
    assert tuned >= 0.95, missed
    assert held_out >= 0.95, missed_of_held_out


def test_a_request_of_two_parts_finds_a_tool_for_each(tools: dict[str, ListedTool]) -> None:
    found = lookup.fitting("Find a hotel in Porto for Friday and text Mia that I'm coming", tools, SHOWN)

    assert {"hotels.search", "sms.send"} <= {one.tool.name for one in found.items}
    assert not found.pending


def test_a_follow_up_finds_the_tool_of_the_message_before(tools: dict[str, ListedTool]) -> None:
    turns = [Turn("user", "Is it going to rain in Oslo tomorrow?"), Turn("assistant", "No.")]
    told = fitting_tools.told(PlanRequest("And in Bergen?", clock.now(), tools, turns=turns))

    assert told.told is not None
    assert "weather.forecast" in told.told
    assert len(told.told) == 16
    assert told.tools == tools


def test_the_offline_brain_keeps_the_tools_that_it_knows(tools: dict[str, ListedTool]) -> None:
    known = fitting_tools.known(PlanRequest("Give Ms Lee her money back for order 17", clock.now(), tools)).tools

    assert {"calculate", "find_date", "search_memory", "shop.refund_order"} <= known.keys()
    assert len(known) < 60


def test_without_an_embedder_tools_are_found_by_their_words(tools: dict[str, ListedTool], tmp_path: Path) -> None:
    broken = minilm.MiniLM(tmp_path / "no.onnx")
    embedders.named.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minilm, "MiniLM", lambda: broken)
        found = lookup.fitting("rental car for Malaga airport", tools, SHOWN)
    embedders.named.cache_clear()

    assert "cars.rent" in [one.tool.name for one in found.items]
    assert not found.pending


def test_a_tool_without_vectors_is_found_by_its_words_and_gets_them(tools: dict[str, ListedTool]) -> None:
    fields = ["glacier.measure", "Thickness of a glacier by radar.", "", "How thick is the Aletsch glacier?"]
    more = {**tools, "glacier.measure": catalogue.listing("app", made(*fields))}
    before = lookup.fitting("thickness of the Aletsch glacier", more, 3)
    given = tool_vectors.embed_missing(more.values())
    after = lookup.fitting("thickness of the Aletsch glacier", more, 3)

    assert before.pending
    assert "glacier.measure" in [one.tool.name for one in before.items]
    assert given == 1
    assert not after.pending
    assert after.items[0].score > before.items[0].score


def test_the_api_says_which_tools_fit_and_how_well(tools: dict[str, ListedTool]) -> None:
    http = create_app().test_client()
    found = http.get("/api/tools?q=what+does+it+cost+to+fly+to+Tokyo&limit=3").get_json()["items"]
    refused = http.get("/api/tools?q=x&limit=0")

    assert "flights.search" in [one["name"] for one in found]
    assert found[0]["score"] > found[2]["score"] > 0
    assert len(http.get("/api/tools").get_json()["items"]) == len(tools)
    assert refused.status_code == 400
    assert refused.get_json()["errors"][0]["pointer"] == "?limit"


def test_a_model_is_told_of_the_fitting_tools_only(tools: dict[str, ListedTool]) -> None:
    with environment(PERDURE_PROMPT_TOOLS="5"):
        told = fitting_tools.told(PlanRequest("What is 17% of 2340?", clock.now(), tools))

    assert len(told.offered) == 5
    assert told.offered[0].name == "calculate"
