"""The examples of docs/examples do what they say, with a scripted model in the place of a real one."""

import importlib.util
import re
from typing import Any

from services.agents import agents
from services.journal import delegations, steps
from services.journal.runs import parse_id
from tests import runs
from tests.scripted_model import Recorded, Reply, ScriptedModel, plan, text
from tests.stack import ROOT, Stack


def example(name: str) -> Any:
    found = importlib.util.spec_from_file_location(name, ROOT / "docs" / "examples" / f"{name}.py")
    assert found and found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def researchers_critics_and_writers(request: Recorded) -> Reply:
    if "Plan this request" in request.said:
        return plan({"steps": []})
    said = request.said.partition("Answer this request:")[2]
    if said.strip().startswith("Criticise"):
        return text("The date is doubtful.")
    if said.strip().startswith("Write about"):
        assert "The Earth slows down" in said
        assert "The date is doubtful." in said
        return text("A page without the date.")
    return text("The Earth slows down, and clocks do not (source: a page). Since 1972.")


def test_a_researcher_a_critic_and_a_writer_hand_on_to_each_other(with_model: Stack, model: ScriptedModel) -> None:
    made = example("researcher_critic_writer")
    for name, profile in made.AGENTS.items():
        limits = {"limits": profile["budget"], "onExceed": "stop"}
        agents.put(runs.TENANT, name, {**profile, "budget": limits, "memory": "user"})
    with model.answering(researchers_critics_and_writers):
        run_id = runs.start(made.plan("Why are there leap seconds?"))
        run = runs.wait_for(run_id)
    tree = delegations.tree(runs.TENANT, run_id)

    assert (run.status, run.answer) == ("succeeded", "A page without the date.")
    assert sorted(row["agent"] for row in tree[1:]) == ["critic", "researcher", "researcher", "writer"]
    assert sum(row["own"]["tokens"] for row in tree) > 0


def test_fifty_documents_are_read_by_a_child_each_and_their_notes_put_together(
    with_model: Stack, model: ScriptedModel
) -> None:
    made = example("map_reduce")

    def reads(request: Recorded) -> Reply:
        numbers = re.findall(r"document (\d+)", request.said)
        return text(f"note on document {numbers[0]}" if len(numbers) == 1 else f"{len(set(numbers))} notes")

    with model.answering(reads):
        run_id = runs.start(made.plan("What is in them?", [f"This is document {number}." for number in range(50)]))
        run = runs.wait_for(run_id, timeout=90)
    found = {step.id: step for step in steps.of_run(parse_id(run_id))}

    assert (run.status, run.answer) == ("succeeded", "50 notes"), run.error
    assert len(delegations.of_parent(run.id)) == 50
    assert found["map[17]"].output["outputs"]["read"]["text"] == "note on document 17"
