"""What the composed answer says of leaves, failures, pages and memories; and a caller's own plan without a request."""

from typing import Any

from reflection_worker import offline_answer
from reflection_worker.answer_request import AnswerRequest
from services.journal.finished_steps import FinishedStep
from tests.unit.offline import harness


def step(name: str, tool: str, output: Any, **more: Any) -> FinishedStep:
    values: dict[str, Any] = {"why": None, "arguments": {}, "status": "succeeded", "error": None, **more}
    return FinishedStep(id=name, tool=tool, output=output, **values)


def answer(*steps: FinishedStep, note: str | None = None) -> str:
    return offline_answer.compose(AnswerRequest("…", harness.NOW, list(steps), note))


def leaves(*steps: FinishedStep) -> str:
    return offline_answer.leaf_outputs(AnswerRequest("", harness.NOW, list(steps)))


def test_a_sum_that_only_served_the_next_one_is_not_repeated() -> None:
    said = answer(
        step("s1", "calculate", {"value": 42, "text": "6 * 7 is 42."}),
        step("s2", "calculate", {"value": 47, "text": "42 + 5 is 47."}, depends_on=["s1"]),
    )

    assert said == "42 + 5 is 47."


def test_what_failed_is_said_with_the_reason_and_what_was_left_undone() -> None:
    said = answer(
        step("s1", "calculate", None, status="failed", why="10 / 0", error="That divides by zero."),
        step("s2", "calculate", None, status="skipped", why="add 5 to that", depends_on=["s1"]),
        step("s3", "current_time", {"text": "It is noon in Rome"}),
    )

    assert said == (
        "It is noon in Rome. I couldn't do this: 10 / 0. That divides by zero. "
        "So this was not done either: add 5 to that."
    )


def test_the_note_comes_last() -> None:
    said = answer(step("s1", "echo", {"value": "hi", "text": "hi"}), note="I can't do this part offline: “sing”.")

    assert said == "hi. I can't do this part offline: “sing”."


def test_no_steps_and_no_note_is_said_plainly() -> None:
    assert answer() == "There is nothing to report: no step gave a result."


def test_a_page_without_title_links_or_text_says_so() -> None:
    said = answer(
        step(
            "s1",
            "fetch_page",
            {"title": "", "links": [], "text": ""},
            why="title | links | text: prices",
            arguments={"url": "https://example.com"},
        )
    )

    assert said == (
        "https://example.com has no title.\nhttps://example.com has no links.\n"
        "https://example.com says nothing that fits “prices”."
    )


def test_a_question_to_a_page_is_answered_with_the_sentences_that_fit() -> None:
    page = harness.PAGES["https://example.com/otters"]

    said = answer(step("s1", "fetch_page", page, why="text: what do they eat", arguments={"url": "https://e.org"}))

    assert said == "https://e.org says: They eat sea urchins, mussels and crabs."


def test_a_memory_without_a_common_word_is_not_offered_as_an_answer() -> None:
    items = {"items": [{"id": "1", "text": "My dog is called Rex.", "score": 0.9, "kind": "fact"}]}

    said = answer(step("s1", "search_memory", items, why="what did I say about taxes", arguments={"query": "taxes"}))

    assert said == "I have nothing on that: no memory about “taxes”."


def test_a_stored_fact_is_preferred_to_an_episode_that_only_asked_for_it() -> None:
    items = {
        "items": [
            {"id": "1", "text": "Asked: what did I say about the boiler? Answer: nothing.", "kind": "episode"},
            {"id": "2", "text": "The boiler is blue.", "kind": "fact"},
        ]
    }

    said = answer(
        step("s1", "search_memory", items, why="what did I say about the boiler", arguments={"query": "the boiler"})
    )

    assert said == "You told me: The boiler is blue."


def test_a_single_leaf_of_a_callers_plan_is_its_text() -> None:
    said = leaves(
        step("a", "noop", {"text": "Nothing."}), step("b", "echo", {"value": 1, "text": "1"}, depends_on=["a"])
    )

    assert said == "1"


def test_several_leaves_of_a_callers_plan_are_compact_json_by_step() -> None:
    said = leaves(step("a", "echo", {"value": 1}), step("b", "custom", [1, 2]), step("c", "custom", "x"))

    assert said == '{"a":{"value":1},"b":[1,2],"c":"x"}'


def test_a_callers_plan_that_failed_says_why() -> None:
    said = leaves(step("a", "echo", None, status="failed", error="No value was given."))

    assert said == "I couldn't do this: echo. No value was given."
