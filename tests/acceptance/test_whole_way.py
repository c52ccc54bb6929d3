"""A request goes all the way: HTTP, three real worker processes, events on the WebSocket, the answer."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from gateway.client import Client
from tests.acceptance.whole_way import ask
from tests.loopback_site import LoopbackSite, page
from tests.stack import Stack


def test_two_questions_become_two_parallel_steps_and_one_answer(stack: Stack) -> None:
    told = ask(stack, "What is 17% of 2340, and what time is it in Tokyo?")

    assert told.run["status"] == "succeeded"
    assert "397.8" in told.answer
    assert "Tokyo" in told.answer
    assert [step["dependsOn"] for step in told.run["steps"]] == [[], []]
    names = [event["name"] for event in told.events]
    assert names[:2] == ["run.created", "plan.created"]
    assert names[-1] == "run.succeeded"
    assert "".join(event["data"]["text"] for event in told.events if event["name"] == "answer.delta") == told.answer


def test_a_second_request_uses_what_the_first_said(stack: Stack) -> None:
    conversation = str(uuid4())
    ask(stack, "What is 45 plus 18?", conversationId=conversation)

    assert "126" in ask(stack, "Now double that", conversationId=conversation).answer


def test_what_is_remembered_in_one_conversation_is_recalled_in_another_by_the_same_user(stack: Stack) -> None:
    ask(stack, "Remember that the spare key hangs behind the barometer", userId="ada")

    assert "barometer" in ask(stack, "What did I say about the spare key?", userId="ada").answer
    assert "barometer" not in ask(stack, "What did I say about the spare key?", userId="grace").answer


def test_a_page_is_read_and_asked_about(stack: Stack) -> None:
    body = "<title>Harbour seals</title><p>A harbour seal sleeps under water.</p><a href='/more'>More seals</a>"
    with LoopbackSite({"/": page(body)}) as site:
        told = ask(stack, f"What is the title of {site.url('/')} and which links does it have?")

    assert "Harbour seals" in told.answer
    assert "More seals" in told.answer


def test_what_the_offline_brain_cannot_do_it_says(stack: Stack) -> None:
    told = ask(stack, "Compose a limerick about lighthouses, and what is 9 * 7?")

    assert "63" in told.answer
    assert "OPENAI_API_KEY" in told.answer


def test_a_callers_plan_runs_as_data_flow(stack: Stack) -> None:
    plan = {
        "steps": [
            {"id": "a", "tool": "echo", "arguments": {"value": {"n": 6}}},
            {"id": "b", "tool": "calculate", "arguments": {"expression": "${a.value.n} * 7"}},
            {"id": "c", "tool": "sleep", "arguments": {"seconds": 0.05}},
            {"id": "d", "tool": "echo", "arguments": {"value": "${b.value}"}, "dependsOn": ["c"]},
        ]
    }

    told = ask(stack, plan=plan)

    assert told.run["status"] == "succeeded"
    assert told.run["steps"][3]["output"]["value"] == 42
    assert told.run["steps"][1]["dependsOn"] == ["a"]


def test_fifty_runs_at_once_all_end_with_gapless_events(stack: Stack) -> None:
    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(lambda number: ask(stack, f"What is {number} times 3?"), range(50)))

    assert [run.run["status"] for run in told] == ["succeeded"] * 50
    assert all(str(number * 3) in run.answer for number, run in enumerate(told))


def test_a_client_that_reconnects_sees_each_event_once(stack: Stack) -> None:
    with Client(stack.url) as client:
        steps = [{"id": f"s{n}", "tool": "sleep", "arguments": {"seconds": 0.1}} for n in range(8)]
        run_id = client.start(plan={"steps": steps})["workflowId"]
        seen: list[int] = []
        while True:
            for event in client.events(run_id, after=seen[-1] if seen else 0):
                seen.append(event["seq"])
                if len(seen) % 3 == 0:
                    break  # hang up in the middle, come back with the cursor
            else:
                break
        everything = [event["seq"] for event in client.events(run_id)]

    assert seen == everything == list(range(1, len(everything) + 1))
