"""What gets stored: notes by the tool, episodes after a run; each once, however often it is tried."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from execution_worker.tools.remember import remember
from execution_worker.tools.search_memory import search_memory
from reflection_worker import lessons
from services.journal.steps import Step
from services.memory import memories, vectors
from services.tools import catalogue
from services.tools.contract import ToolContext, tool


def context(tenant: str, *, user_id: str = "ada", key: str = "k1") -> ToolContext:
    return ToolContext(
        run_id=str(uuid4()),
        step_id="s1",
        attempt=1,
        tenant=tenant,
        user_id=user_id,
        conversation_id="c1",
        idempotency_key=key,
        deadline=datetime.now(UTC) + timedelta(seconds=30),
    )


@pytest.fixture
def tenant(servers: object) -> str:
    return f"tenant-{uuid4()}"


def test_a_note_is_remembered_once_per_step_however_often_it_is_tried(tenant: str) -> None:
    first = remember.function(context(tenant), text="my bicycle lock opens with 2718")
    second = remember.function(context(tenant), text="my bicycle lock opens with 2718")
    remember.function(context(tenant, key="k2"), text="the pump is in the shed")

    assert first == second
    assert first["text"] == "Noted: my bicycle lock opens with 2718"
    assert len(memories.listed(tenant, "ada")) == 2


def test_a_remembered_note_is_found_at_once_by_its_user_only(tenant: str) -> None:
    remember.function(context(tenant), text="my bicycle lock opens with 2718")
    found = search_memory.function(context(tenant), query="What is the code of my bike?")
    others = search_memory.function(context(tenant, user_id="ben"), query="What is the code of my bike?")

    assert [item["text"] for item in found["items"]] == ["my bicycle lock opens with 2718"]
    assert found["text"] == "my bicycle lock opens with 2718"
    assert others["items"] == []
    assert others["text"] == "I remember nothing about “What is the code of my bike?”."


def test_a_run_becomes_one_episode_with_its_source(tenant: str) -> None:
    run = {
        "id": str(uuid4()),
        "tenant": tenant,
        "user_id": "ada",
        "conversation_id": "c1",
        "request": "How long is the ferry from Kiel to Oslo?",
        "answer": "The crossing takes 20 hours.",
        "error": None,
        "brain": "model",
    }
    steps = [Step(id="s1", tool="fetch_page", status="succeeded", output={})]
    stored = lessons.remember_run(run, steps)
    again = lessons.remember_run(run, steps)
    episode = memories.get(tenant, stored[0])

    assert stored == again
    assert (episode.kind, str(episode.source_run), len(vectors.spaces_of(episode.id))) == ("episode", run["id"], 1)
    assert "20 hours" in episode.text
    assert len(memories.listed(tenant, "ada")) == 1


def test_what_a_prompt_recalled_is_not_stored_again(tenant: str) -> None:
    remember.function(context(tenant), text="The ferry to Oslo leaves from quay four")
    run = {
        "id": str(uuid4()),
        "tenant": tenant,
        "user_id": "ada",
        "conversation_id": "c1",
        "request": "Where does the ferry to Oslo leave?",
        "answer": "The ferry to Oslo leaves from quay four.",
        "error": None,
        "brain": "model",
    }

    assert lessons.remember_run(run, []) == []


def test_a_new_answer_to_the_same_request_takes_the_place_of_the_old_one(tenant: str) -> None:
    def run(answer: str) -> dict[str, object]:
        return {
            "id": str(uuid4()),
            "tenant": tenant,
            "user_id": "ada",
            "conversation_id": "c1",
            "request": "Which ferry is the next?",
            "answer": answer,
            "error": None,
            "brain": "model",
        }

    steps = [Step(id="s1", tool="fetch_page", status="succeeded", output={})]
    lessons.remember_run(run("The Stella leaves at nine."), steps)
    lessons.remember_run(run("The Aurora leaves at ten."), steps)
    found = search_memory.function(context(tenant), query="Which ferry is the next?")

    assert [item["text"].splitlines()[-1] for item in found["items"]] == ["Answer: The Aurora leaves at ten."]
    assert len(memories.listed(tenant, "ada")) == 2


def test_what_people_only_tell_a_model_becomes_facts_that_can_change(tenant: str) -> None:
    def run(request: str) -> dict[str, object]:
        return {
            "id": str(uuid4()),
            "tenant": tenant,
            "user_id": "ada",
            "conversation_id": "c1",
            "request": request,
            "answer": "Noted.",
            "error": None,
            "brain": "model",
        }

    first = lessons.remember_run(run("My dentist is Doctor Brandt."), [])
    lessons.remember_run(run("My dentist is Doctor Olsen."), [])
    found = search_memory.function(context(tenant), query="Who is my dentist?")

    assert [payload["kind"] for payload in lessons.told(tenant, first)] == ["fact"]
    assert [item["text"] for item in found["items"]] == ["My dentist is Doctor Olsen."]


@pytest.mark.parametrize(("reads_outside", "trust"), [(True, "outside"), (False, "agent")])
def test_what_a_registered_tool_said_is_trusted_as_its_registration_says(
    tenant: str, reads_outside: bool, trust: str
) -> None:
    @tool(effect="pure", untrusted=reads_outside)
    def crm__find() -> dict[str, str]:
        """Find a customer."""
        return {}

    catalogue.register_external([("mcp:crm", crm__find)])
    run = {
        **{"id": str(uuid4()), "tenant": tenant, "user_id": "ada", "conversation_id": "c1", "error": None},
        **{"request": "Who is our customer in Bergen?", "answer": "It is Fjord Lamps.", "brain": "model"},
    }
    stored = lessons.remember_run(run, [Step(id="s1", tool="crm__find", status="succeeded", output={})])

    assert memories.get(tenant, stored[0]).trust == trust
