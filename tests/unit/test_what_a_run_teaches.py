"""Which finished runs become an episode, and what of them is kept."""

from typing import Any

import pytest

from reflection_worker import lessons
from services.journal.steps import Step


def run(request: str, answer: str = "It is 42.", **given: Any) -> dict[str, Any]:
    return {"id": "r", "request": request, "answer": answer, "error": None, "brain": "model", **given}


def step(tool: str, status: str = "succeeded", output: Any = None) -> Step:
    return Step(tool=tool, status=status, output=output)


def test_request_and_answer_are_kept() -> None:
    kept = lessons.episode(run("What is 6 times 7?"), [step("calculate")], [], recalled=[])

    assert kept == "Asked: What is 6 times 7?\nAnswer: It is 42."


@pytest.mark.parametrize("greeting", ["Hi!", "hello there", "Thank you very much.", "Good morning, how are you?", "ok"])
def test_greetings_and_thanks_teach_nothing(greeting: str) -> None:
    assert lessons.episode(run(greeting), [], [], recalled=[]) is None


def test_a_failed_run_teaches_nothing() -> None:
    failed = run("Read the page", error={"detail": "no such page"})

    assert lessons.episode(failed, [step("fetch_page")], [], recalled=[]) is None
    assert lessons.episode(run("Read the page"), [step("fetch_page", "failed")], [], recalled=[]) is None


def test_a_run_that_only_used_memory_teaches_nothing() -> None:
    only_memory = [step("search_memory", output={"items": []}), step("remember")]

    assert lessons.episode(run("What did I say about kilns?"), only_memory, [], recalled=[]) is None


def test_what_was_recalled_is_not_kept_again() -> None:
    answer = "You said that the kiln cracked in May. The new one costs 900 euros."

    kept = lessons.episode(run("And the kiln?", answer), [step("fetch_page")], [], recalled=["The kiln cracked in May"])

    assert kept == "Asked: And the kiln?\nAnswer: The new one costs 900 euros."


def test_an_answer_that_only_repeats_what_was_recalled_is_not_kept() -> None:
    kept = lessons.episode(run("And?", "The kiln cracked."), [step("think")], [], recalled=["The kiln cracked in May"])

    assert kept is None


def test_what_people_tell_beside_a_question_of_the_moment_is_kept() -> None:
    told = run("The car is on level 3. What time is it?", "Noted: the car is on level 3. It is 14:30.", brain="offline")
    remembered = run("Remember that I like tea.", "I'll remember: I like tea.", brain="offline")

    assert lessons.episode(told, [step("current_time")], [], recalled=[]) == "The car is on level 3."
    assert lessons.episode(remembered, [step("remember")], [], recalled=[]) is None


def test_the_offline_brains_small_talk_is_dropped_but_what_people_tell_of_themselves_is_kept() -> None:
    told = run("My sister lives in Oslo. Can you sing?", "I can't do that offline.", brain="offline")
    asked = run("Can you sing?", "I can't do that offline.", brain="offline")

    assert lessons.episode(told, [], [], recalled=[]) == "My sister lives in Oslo."
    assert lessons.episode(asked, [], [], recalled=[]) is None
