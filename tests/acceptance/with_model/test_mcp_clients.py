"""The unmodified `mcp` client drives Perdure in both eras: agents as tools, control of runs, long runs as tasks."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Literal

import httpx2
import orjson
import pytest
from mcp.client.client import Client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp_types import CallToolResult, ElicitResult, Request, RequestParams, Result
from pydantic import ConfigDict, Field

from tests.scripted_model import ScriptedModel, plan, text
from tests.stack import Stack

SUM = plan({"steps": [{"id": "s1", "tool": "calculate", "arguments": {"expression": "6*7"}}]})
NAP = plan({"steps": [{"id": "s1", "tool": "sleep", "arguments": {"seconds": 60}}]})
NOOP = plan({"steps": [{"id": "s1", "tool": "noop", "arguments": {}}]})
ERAS = ("auto", "legacy")


class TaskParams(RequestParams):
    task_id: str = Field(alias="taskId")
    input_responses: dict[str, Any] | None = Field(None, alias="inputResponses")


class TaskRequest(Request[TaskParams, str]):
    name_param = "taskId"


class Task(Result):
    result_type: Literal["task"] = Field("task", alias="resultType")
    task_id: str = Field(alias="taskId")


class State(Result):
    model_config = ConfigDict(extra="allow")
    status: str


class Tasks(ClientExtension):
    """What a client does that knows the Tasks extension: it asks until the task has ended."""

    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self, answer: dict[str, Any] | None = None, cancel: bool = False) -> None:
        self.answer, self.cancel = answer, cancel
        self.states: list[State] = []

    def claims(self) -> list[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Task, resolve=self.resolve)]

    async def resolve(self, task: Task, ctx: ClaimContext) -> CallToolResult:
        async def ask(method: str, **more: Any) -> State:
            params = TaskParams(taskId=task.task_id, **more)
            return await ctx.session.send_request(TaskRequest(method=method, params=params), State)

        while True:
            state = await ctx.session.send_request(
                TaskRequest(method="tasks/get", params=TaskParams(taskId=task.task_id)), State
            )
            if not self.states or self.states[-1].status != state.status:
                self.states.append(state)
                extra = state.model_extra or {}
                if state.status == "input_required":
                    said = {key: {"action": "accept", "content": self.answer} for key in extra["inputRequests"]}
                    await ctx.session.send_request(
                        TaskRequest(method="tasks/update", params=TaskParams(taskId=task.task_id, inputResponses=said)),
                        Result,
                    )
            if state.status == "completed":
                return CallToolResult.model_validate((state.model_extra or {})["result"])
            if state.status == "cancelled":
                return CallToolResult(content=[], is_error=True)
            # not earlier: a planner that is at it would still take the model's next reply
            if self.cancel and "executing" in (state.model_extra or {}).get("statusMessage", ""):
                await ctx.session.send_request(
                    TaskRequest(method="tasks/cancel", params=TaskParams(taskId=task.task_id)), Result
                )
            await asyncio.sleep(0.1)


def drive(stack: Stack, does: Callable[[Client], Awaitable[Any]], **options: Any) -> Any:
    async def run() -> Any:
        async with Client(f"{stack.url}/mcp", **options) as client:
            return await does(client)

    return asyncio.run(run())


def structured(result: CallToolResult) -> dict[str, Any]:
    assert result.structured_content is not None
    return result.structured_content


def said(result: CallToolResult) -> str:
    return "".join(part.text for part in result.content if part.type == "text")


@pytest.fixture(scope="module", autouse=True)
def _asked_about_noop(stack_with_model: Stack) -> Iterator[None]:
    """Known to the workers (who look at rules once a second) long before the tests that need it."""
    url = f"{stack_with_model.url}/api/policies"
    rule = httpx2.post(url, json={"decision": "ask", "tool": "noop", "position": 1}).json()
    yield
    httpx2.delete(f"{url}/{rule['id']}")


@pytest.mark.parametrize("era", ERAS)
def test_agents_and_the_control_of_runs_are_tools(stack_with_model: Stack, era: str) -> None:
    httpx2.put(f"{stack_with_model.url}/api/agents/helper", json={"description": "Helps."})
    listed = drive(stack_with_model, lambda client: client.list_tools(), mode=era)
    tools = {tool.name: tool for tool in listed.tools}

    assert {"perdure", "helper", "start_run", "wait_for_run", "approve", "search_memory"} <= tools.keys()
    assert tools["helper"].description == "Helps."
    assert tools["wait_for_run"].input_schema["required"] == ["runId"]


@pytest.mark.parametrize("era", ERAS)
def test_an_agent_answers_in_either_era(stack_with_model: Stack, model: ScriptedModel, era: str) -> None:
    model.says(SUM, text("It is 42."))
    version, result = drive(
        stack_with_model,
        lambda client: _with_version(client, client.call_tool("perdure", {"request": "Six times seven?"})),
        mode=era,
    )

    assert version == ("2026-07-28" if era == "auto" else "2025-11-25")
    assert said(result) == "It is 42."
    assert structured(result)["status"] == "succeeded"
    assert not result.is_error


async def _with_version(client: Client, call: Awaitable[CallToolResult]) -> tuple[str, CallToolResult]:
    return str(client.protocol_version), await call


def test_a_long_run_is_a_task_to_a_client_that_knows_tasks(stack_with_model: Stack, model: ScriptedModel) -> None:
    model.says(SUM, text("It is 42."))
    tasks = Tasks()
    result = drive(
        stack_with_model,
        lambda client: client.call_tool("perdure", {"request": "Six times seven?"}),
        extensions=[tasks],
    )

    assert said(result) == "It is 42."
    assert tasks.states[-1].status == "completed"


def test_a_task_asks_its_person_and_goes_on(stack_with_model: Stack, model: ScriptedModel) -> None:
    async def never(*_: Any) -> ElicitResult:
        raise AssertionError("the form comes with the task")

    model.says(NOOP, text("Done."))
    tasks = Tasks(answer={"approve": True})
    result = drive(
        stack_with_model,
        lambda client: client.call_tool("perdure", {"request": "Do nothing"}),
        extensions=[tasks],
        elicitation_callback=never,
    )

    assert "input_required" in [state.status for state in tasks.states]
    (form,) = next(state.model_extra for state in tasks.states if state.status == "input_required")[
        "inputRequests"
    ].values()
    assert "noop" in form["params"]["message"]
    assert said(result) == "Done."


def test_a_task_is_cancelled(stack_with_model: Stack, model: ScriptedModel) -> None:
    model.says(NAP)
    tasks = Tasks(cancel=True)
    result = drive(
        stack_with_model, lambda client: client.call_tool("perdure", {"request": "Sleep"}), extensions=[tasks]
    )

    assert result.is_error
    assert tasks.states[-1].status == "cancelled"


def test_a_run_is_started_approved_and_waited_for(stack_with_model: Stack, model: ScriptedModel) -> None:
    async def steps(client: Client) -> tuple[dict[str, Any], ...]:
        started = structured(await client.call_tool("start_run", {"request": "Do nothing", "labels": {"team": "mcp"}}))
        waits = structured(await client.call_tool("wait_for_run", {"runId": started["runId"]}))
        inbox = structured(await client.call_tool("list_approvals", {"runId": started["runId"]}))
        await client.call_tool("approve", {"approvalId": inbox["approvals"][0]["approvalId"]})
        done = structured(await client.call_tool("wait_for_run", {"runId": started["runId"]}))
        runs = structured(await client.call_tool("list_runs", {"limit": 5}))
        return started, waits, inbox, done, runs

    model.says(NOOP, text("Done."))
    started, waits, inbox, done, runs = drive(stack_with_model, steps, mode="legacy")

    assert waits["approvals"] == inbox["approvals"]
    assert inbox["approvals"][0]["tool"] == "noop"
    assert (done["status"], done["answer"], done["approvals"]) == ("succeeded", "Done.", [])
    assert started["runId"] in [run["id"] for run in runs["runs"]]


def test_memory_is_searched(stack_with_model: Stack) -> None:
    remembered = {"text": "The cellar key hangs behind the clock.", "userId": "mcp"}
    httpx2.post(f"{stack_with_model.url}/api/memory", json=remembered)
    arguments = {"query": "Where is the key of the cellar?", "userId": "mcp"}
    found = drive(stack_with_model, lambda client: client.call_tool("search_memory", arguments))

    assert structured(found)["memories"][0]["text"] == remembered["text"]


def test_what_goes_wrong_is_told_to_the_model_and_to_the_client(stack_with_model: Stack) -> None:
    async def steps(client: Client) -> tuple[CallToolResult, CallToolResult]:
        return await client.call_tool("get_run", {"runId": "none"}), await client.call_tool("get_run", {"id": "x"})

    unknown, misspelt = drive(stack_with_model, steps)
    page = httpx2.post(f"{stack_with_model.url}/mcp", content="[]")
    away = httpx2.get(f"{stack_with_model.url}/mcp")
    stranger = httpx2.post(
        f"{stack_with_model.url}/mcp", headers={"Host": "evil.example", "Origin": "http://evil.example"}
    )

    assert unknown.is_error and "There is no run" in said(unknown)
    assert misspelt.is_error and "runId" in said(misspelt)
    assert (page.status_code, page.json()["error"]["code"]) == (400, -32600)
    assert (away.status_code, away.headers["Allow"]) == (405, "POST")
    assert (stranger.status_code, orjson.loads(stranger.content)["error"]["code"]) == (403, -32600)
